// SPDX-License-Identifier: Apache-2.0
package org.kmorph.config;

/** A file is not accepted; the message says which line, key or value, and what was expected. */
final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
        super(message);
    }
}
