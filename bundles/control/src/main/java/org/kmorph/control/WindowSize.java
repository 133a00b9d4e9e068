// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.nio.ByteBuffer;

/**
 * The size of a terminal, in characters. A terminal that does not know its size says 0; it then counts as 24 by 80.
 *
 * @param rows at least 1
 * @param columns at least 1
 */
record WindowSize(int rows, int columns) {
    static final WindowSize UNKNOWN = new WindowSize(24, 80);
    static final int BYTES = 4;

    /** Reads rows (u16) and columns (u16). */
    static WindowSize read(ByteBuffer b) throws Refusal {
        if (b.remaining() != BYTES) {
            throw Refusal.malformed("a window size of " + b.remaining() + " bytes, where 4 were expected");
        }
        int rows = Short.toUnsignedInt(b.getShort());
        int columns = Short.toUnsignedInt(b.getShort());
        return new WindowSize(rows == 0 ? UNKNOWN.rows : rows, columns == 0 ? UNKNOWN.columns : columns);
    }
}
