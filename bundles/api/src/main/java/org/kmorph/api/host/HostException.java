// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.host;

/** A host could not do what was asked; the message names the thing, the expectation and the way out. */
public final class HostException extends Exception {
    private static final long serialVersionUID = 1L;

    public HostException(String message) {
        super(message);
    }

    public HostException(String message, Throwable cause) {
        super(message, cause);
    }
}
