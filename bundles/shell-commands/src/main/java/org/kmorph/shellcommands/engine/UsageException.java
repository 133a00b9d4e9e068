// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

/** The words were not understood; the message says what was expected. */
final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}
