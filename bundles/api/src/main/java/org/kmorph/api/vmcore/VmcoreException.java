// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.vmcore;

/** A memory could not be captured or understood; the message says why, for people. */
public class VmcoreException extends Exception {
    private static final long serialVersionUID = 1L;

    public VmcoreException(String message) {
        super(message);
    }

    public VmcoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
