// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.memory;

import java.io.IOException;

/** Memory that was asked for is not mapped, not captured, or not readable. */
public final class MissingMemoryException extends IOException {
    private static final long serialVersionUID = 1L;

    public MissingMemoryException(String message) {
        super(message);
    }
}
