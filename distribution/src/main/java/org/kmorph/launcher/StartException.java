// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

/** Why the daemon cannot start: a sentence for the person who started it, with the way out. */
final class StartException extends Exception {
    private static final long serialVersionUID = 1L;

    StartException(String message) {
        super(message);
    }

    StartException(String message, Throwable cause) {
        super(message, cause);
    }
}
