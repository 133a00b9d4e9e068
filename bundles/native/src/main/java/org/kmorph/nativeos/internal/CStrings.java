// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Java's strings as C's. */
final class CStrings {
    private CStrings() {}

    /**
     * UTF-8 with a zero at the end.
     *
     * @throws IllegalArgumentException when the text itself has a zero, where C would cut it off
     */
    static byte[] terminated(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "a zero character cannot be part of \"" + text.replace("\0", "\\0") + "\"");
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return Arrays.copyOf(bytes, bytes.length + 1);
    }
}
