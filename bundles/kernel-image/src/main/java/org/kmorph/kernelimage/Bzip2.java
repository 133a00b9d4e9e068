// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Unpacks bzip2: one stream, its checksums verified. The format is that of bzip2 1.0's decoder: blocks of a Burrows-Wheeler transform,
 * moved to front, run lengths, Huffman coded by up to six tables that change every fifty symbols.
 */
final class Bzip2 {
    private static final long BLOCK_MAGIC = 0x314159265359L;
    private static final long END_MAGIC = 0x177245385090L;
    private static final int GROUP = 50;
    private static final int LONGEST_CODE = 20;
    private static final int BLOCK_UNIT = 100_000;

    private final ByteBuffer from;
    private final ByteBuffer to;
    private int bits;
    private int bitCount;

    private Bzip2(ByteBuffer from, ByteBuffer to) {
        this.from = from;
        this.to = to;
    }

    /** Unpacks until the stream ends. @throws IOException when it is broken, or more than fits */
    static void unpack(ByteBuffer from, ByteBuffer to) throws IOException {
        from.position(from.position() + 3);
        int level = from.get() - '0';
        check(level >= 1 && level <= 9, "a block size of " + level);
        Bzip2 stream = new Bzip2(from, to);
        int[] transform = new int[level * BLOCK_UNIT];
        int combined = 0;
        for (long magic = stream.magic(); magic != END_MAGIC; magic = stream.magic()) {
            check(magic == BLOCK_MAGIC, "no block where one should begin");
            int crc = stream.read(16) << 16 | stream.read(16);
            check(stream.block(transform) == crc, "a wrong checksum of a block");
            combined = (combined << 1 | combined >>> 31) ^ crc;
        }
        check((stream.read(16) << 16 | stream.read(16)) == combined, "a wrong checksum of the whole");
    }

    private long magic() throws IOException {
        return (long) read(24) << 24 | read(24);
    }

    private static void check(boolean holds, String otherwise) throws IOException {
        if (!holds) {
            throw new IOException(otherwise);
        }
    }

    /** Up to 24 bits, the highest first. */
    private int read(int count) throws IOException {
        while (bitCount < count) {
            check(from.hasRemaining(), "it ends too soon");
            bits = bits << 8 | Byte.toUnsignedInt(from.get());
            bitCount += 8;
        }
        bitCount -= count;
        return bits >>> bitCount & (1 << count) - 1;
    }

    /** One block. @return the checksum of what came out */
    private int block(int[] transform) throws IOException {
        check(read(1) == 0, "a randomised block, which no version since 0.9.5 makes");
        int origin = read(24);
        byte[] symbols = symbols();
        int alphabet = symbols.length + 2;
        int tables = read(3);
        int selectorCount = read(15);
        check(tables >= 2 && tables <= 6 && selectorCount > 0, "impossible numbers of tables");
        byte[] selectors = selectors(tables, selectorCount);
        Code[] codes = new Code[tables];
        for (int i = 0; i < tables; i++) {
            codes[i] = code(alphabet);
        }
        int length = movedToFront(transform, symbols, selectors, codes);
        check(origin < length, "an origin outside of its block");
        return inverse(transform, length, origin);
    }

    private byte[] symbols() throws IOException {
        int ranges = read(16);
        byte[] found = new byte[256];
        int count = 0;
        for (int i = 0; i < 16; i++) {
            int used = (ranges & 0x8000 >> i) == 0 ? 0 : read(16);
            for (int j = 0; j < 16; j++) {
                if ((used & 0x8000 >> j) != 0) {
                    found[count++] = (byte) (16 * i + j);
                }
            }
        }
        check(count > 0, "a block without symbols");
        return java.util.Arrays.copyOf(found, count);
    }

    private byte[] selectors(int tables, int count) throws IOException {
        byte[] order = {0, 1, 2, 3, 4, 5};
        byte[] selectors = new byte[count];
        for (int i = 0; i < count; i++) {
            int index = 0;
            while (read(1) == 1) {
                check(++index < tables, "a table that there is not");
            }
            selectors[i] = toFront(order, index);
        }
        return selectors;
    }

    private static byte toFront(byte[] order, int index) {
        byte value = order[index];
        System.arraycopy(order, 0, order, 1, index);
        order[0] = value;
        return value;
    }

    /**
     * A Huffman code, canonical.
     *
     * @param last by length, the last code of that length; below any code where there is none
     * @param base by length, what to add to a code of that length to find its symbol
     */
    private record Code(int[] last, int[] base, int[] symbols) {}

    private Code code(int alphabet) throws IOException {
        int[] lengths = new int[alphabet];
        int[] perLength = new int[LONGEST_CODE + 1];
        int length = read(5);
        for (int i = 0; i < alphabet; i++) {
            while (read(1) == 1) {
                length += read(1) == 0 ? 1 : -1;
            }
            check(length >= 1 && length <= LONGEST_CODE, "a code of " + length + " bits");
            lengths[i] = length;
            perLength[length]++;
        }
        int[] last = new int[LONGEST_CODE + 1];
        int[] base = new int[LONGEST_CODE + 1];
        int[] symbols = new int[alphabet];
        int next = 0;
        int index = 0;
        for (int l = 1; l <= LONGEST_CODE; l++) {
            next <<= 1;
            base[l] = index - next;
            for (int symbol = 0; symbol < alphabet; symbol++) {
                if (lengths[symbol] == l) {
                    symbols[index++] = symbol;
                }
            }
            next += perLength[l];
            last[l] = next - 1;
        }
        return new Code(last, base, symbols);
    }

    private int symbol(Code code) throws IOException {
        int value = 0;
        for (int length = 1; length <= LONGEST_CODE; length++) {
            value = value << 1 | read(1);
            if (value <= code.last()[length]) {
                int index = value + code.base()[length];
                check(index >= 0 && index < code.symbols().length, "a code that there is not");
                return code.symbols()[index];
            }
        }
        throw new IOException("a code that is too long");
    }

    /** Undoes Huffman code, run lengths and moving to front. @return how many bytes, one in each int */
    private int movedToFront(int[] out, byte[] order, byte[] selectors, Code[] codes) throws IOException {
        int end = order.length + 1;
        int length = 0;
        int run = 0;
        int weight = 1;
        for (int decoded = 0; ; decoded++) {
            check(decoded / GROUP < selectors.length, "more symbols than tables for them");
            int symbol = symbol(codes[selectors[decoded / GROUP]]);
            if (symbol <= 1) {
                check(weight <= out.length, "a run that is longer than a block");
                run += weight << symbol;
                weight <<= 1;
                continue;
            }
            check(run <= out.length - length, "more than a block holds");
            java.util.Arrays.fill(out, length, length + run, Byte.toUnsignedInt(order[0]));
            length += run;
            run = 0;
            weight = 1;
            if (symbol == end) {
                return length;
            }
            check(length < out.length, "more than a block holds");
            out[length++] = Byte.toUnsignedInt(toFront(order, symbol - 1));
        }
    }

    /** Undoes the transform, whose vector of links goes into the upper bits, and the first run lengths. */
    private int inverse(int[] vector, int length, int origin) throws IOException {
        int[] starts = new int[257];
        for (int i = 0; i < length; i++) {
            starts[(vector[i] & 0xff) + 1]++;
        }
        for (int i = 0; i < 256; i++) {
            starts[i + 1] += starts[i];
        }
        for (int i = 0; i < length; i++) {
            vector[starts[vector[i] & 0xff]++] |= i << 8;
        }
        int crc = -1;
        int same = 0;
        int before = -1;
        int at = vector[origin] >>> 8;
        for (int i = 0; i < length; i++) {
            int value = vector[at] & 0xff;
            at = vector[at] >>> 8;
            if (same == 4) {
                crc = put(before, value, crc);
                same = 0;
                before = -1;
                continue;
            }
            same = value == before ? same + 1 : 1;
            before = value;
            crc = put(value, 1, crc);
        }
        return ~crc;
    }

    private int put(int value, int count, int crc) throws IOException {
        check(count <= to.remaining(), "more than was said");
        int next = crc;
        for (int i = 0; i < count; i++) {
            to.put((byte) value);
            next = next << 8 ^ Crc.TABLE[next >>> 24 ^ value];
        }
        return next;
    }

    /** The CRC-32 of bzip2: the usual polynomial, the highest bit first. */
    private static final class Crc {
        static final int[] TABLE = new int[256];

        static {
            for (int i = 0; i < 256; i++) {
                int value = i << 24;
                for (int bit = 0; bit < 8; bit++) {
                    value = value << 1 ^ (value < 0 ? 0x04c11db7 : 0);
                }
                TABLE[i] = value;
            }
        }
    }
}
