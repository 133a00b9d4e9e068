// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

/** A survivor sent what cannot be true; the message says what, for people. */
final class LieException extends Exception {
    private static final long serialVersionUID = 1L;

    LieException(String message) {
        super(message);
    }
}
