// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.util.Optional;

/**
 * Keys out of what a terminal sends. Escape sequences are those of ECMA-48 and xterm: {@code ESC [ 1;5 A}, {@code ESC O A}; what it
 * does not know it passes over as a whole, and an escape sequence of more than {@value #LONGEST} bytes is none.
 */
final class KeyParser {
    private static final int LONGEST = 16;
    private static final int ESCAPE = 27;

    private final StringBuilder sequence = new StringBuilder();

    /** @param code the next byte, or -1 for the end of input */
    Optional<Key> accept(int code) {
        if (code < 0) {
            return Optional.of(Key.of(Key.Kind.QUIT));
        }
        if (code == ESCAPE) {
            sequence.setLength(0);
            sequence.append((char) code);
            return Optional.empty();
        }
        return sequence.isEmpty() ? plain(code) : escaped((char) code);
    }

    private static Optional<Key> plain(int code) {
        return switch (code) {
            case 3, 4, 'q', 'Q' -> Optional.of(Key.of(Key.Kind.QUIT));
            case 'k' -> Optional.of(Key.of(Key.Kind.UP));
            case 'j' -> Optional.of(Key.of(Key.Kind.DOWN));
            case ' ' -> Optional.of(Key.of(Key.Kind.PAGE_DOWN));
            case 'g' -> Optional.of(Key.of(Key.Kind.HOME));
            case 'G' -> Optional.of(Key.of(Key.Kind.END));
            default -> code > ' ' && code < 127 ? Optional.of(new Key(Key.Kind.LETTER, (char) code)) : Optional.empty();
        };
    }

    private Optional<Key> escaped(char next) {
        sequence.append(next);
        if (sequence.length() == 2) {
            if (next != '[' && next != 'O') {
                sequence.setLength(0); // Alt and a key, or Escape before one: the key alone counts
                return plain(next);
            }
            return Optional.empty();
        }
        if (next >= 0x40 && next <= 0x7e) {
            String whole = sequence.substring(2);
            sequence.setLength(0);
            return named(whole);
        }
        if (sequence.length() > LONGEST) {
            sequence.setLength(0);
        }
        return Optional.empty();
    }

    private static Optional<Key> named(String whole) {
        if (whole.endsWith("~")) {
            return switch (whole) {
                case "1~", "7~" -> Optional.of(Key.of(Key.Kind.HOME));
                case "4~", "8~" -> Optional.of(Key.of(Key.Kind.END));
                case "5~" -> Optional.of(Key.of(Key.Kind.PAGE_UP));
                case "6~" -> Optional.of(Key.of(Key.Kind.PAGE_DOWN));
                default -> Optional.empty();
            };
        }
        return switch (whole.charAt(whole.length() - 1)) {
            case 'A' -> Optional.of(Key.of(Key.Kind.UP));
            case 'B' -> Optional.of(Key.of(Key.Kind.DOWN));
            case 'H' -> Optional.of(Key.of(Key.Kind.HOME));
            case 'F' -> Optional.of(Key.of(Key.Kind.END));
            default -> Optional.empty();
        };
    }
}
