// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.journal;

import java.io.IOException;

/** The journal could not do what was asked; the message says why and what to do. Nothing was written. */
public final class JournalException extends IOException {
    private static final long serialVersionUID = 1L;

    public JournalException(String message) {
        super(message);
    }

    public JournalException(String message, Throwable cause) {
        super(message, cause);
    }
}
