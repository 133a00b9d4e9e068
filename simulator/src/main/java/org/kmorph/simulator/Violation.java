// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

/** Something happened that never may. */
final class Violation extends Error {
    private static final long serialVersionUID = 1L;

    Violation(String message) {
        super(message);
    }

    Violation(String message, Throwable cause) {
        super(message, cause);
    }
}
