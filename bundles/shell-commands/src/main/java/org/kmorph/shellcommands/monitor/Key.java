// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

/**
 * A key that the dashboard knows what to do with.
 *
 * @param kind what it is
 * @param letter which, for a {@link Kind#LETTER}
 */
record Key(Kind kind, char letter) {
    enum Kind {
        LETTER,
        UP,
        DOWN,
        PAGE_UP,
        PAGE_DOWN,
        HOME,
        END,
        /** Ctrl-C, Ctrl-D, {@code q}, or nobody is there to type any more. */
        QUIT
    }

    static Key of(Kind kind) {
        return new Key(kind, '\0');
    }
}
