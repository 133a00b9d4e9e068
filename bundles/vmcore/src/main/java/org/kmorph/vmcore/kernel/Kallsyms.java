// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A kernel's symbols, from the compressed table it carries (scripts/kallsyms.c in its source), whose parts VMCOREINFO names since
 * Linux 6.0. Immutable.
 */
public final class Kallsyms {
    private static final int MOST = 1 << 20;
    private static final int MOST_BYTES = 1 << 25;
    private static final Recent<Table> RECENT = new Recent<>();

    private final Table table;
    private final long base;

    /** A symbol at or below an address. */
    public record Symbol(String name, long address) {}

    /** The tables as they are in memory: the same for all kernels of a build, wherever they lie. */
    private record Packed(byte[][] tokens, byte[] offsets, byte[] names) {
        boolean same(Packed other) {
            return Arrays.equals(names, other.names)
                    && Arrays.equals(offsets, other.offsets)
                    && Arrays.deepEquals(tokens, other.tokens);
        }
    }

    /**
     * The tables as they are used.
     *
     * @param names of all symbols, each behind the letter of its type
     * @param ends where each name ends in {@code names}
     * @param offsets of symbols, from the base where they are negative
     * @param text numbers of text symbols by address
     */
    private record Table(Packed from, byte[] names, int[] ends, int[] offsets, int[] text) {}

    private Kallsyms(Table table, long base) {
        this.table = table;
        this.base = base;
    }

    /** @throws IOException when the tables are not there or make no sense */
    public static Kallsyms read(AddressSpace space, Vmcoreinfo info) throws IOException {
        int count = space.u32(info.need("SYMBOL(kallsyms_num_syms)"));
        long tokenTable = info.need("SYMBOL(kallsyms_token_table)");
        long namesAt = info.need("SYMBOL(kallsyms_names)");
        long room = tokenTable - namesAt;
        if (count <= 0 || count > MOST || room <= 0 || room > MOST_BYTES) {
            throw new UnknownKernelException(
                    "the kernel's symbol table claims " + count + " symbols in " + room + " bytes");
        }
        long base = space.u64(info.need("SYMBOL(kallsyms_relative_base)"));
        Packed packed = new Packed(
                tokens(space, tokenTable, info.need("SYMBOL(kallsyms_token_index)")),
                space.bytes(info.need("SYMBOL(kallsyms_offsets)"), 4 * count).array(),
                space.bytes(namesAt, (int) room).array());
        Optional<Table> known = RECENT.find(one -> one.from().same(packed));
        if (known.isPresent()) {
            return new Kallsyms(known.get(), base);
        }
        Table table = unpack(packed);
        RECENT.add(table);
        return new Kallsyms(table, base);
    }

    private static Table unpack(Packed from) throws UnknownKernelException {
        int count = from.offsets().length / 4;
        byte[] packed = from.names();
        byte[] names = new byte[packed.length * 3];
        int[] ends = new int[count];
        int[] offsets = new int[count];
        ByteBuffer.wrap(from.offsets())
                .order(ByteOrder.LITTLE_ENDIAN)
                .asIntBuffer()
                .get(offsets);
        long[] textKeys = new long[count];
        int texts = 0;
        int at = 0;
        int end = 0;
        for (int i = 0; i < count; i++) {
            if (at + 2 > packed.length) {
                throw new UnknownKernelException("the kernel's symbol names end at number " + i + " of " + count);
            }
            int length = packed[at++] & 255;
            if ((length & 0x80) != 0) {
                length = (length & 0x7f) | (packed[at++] & 255) << 7;
            }
            if (at + length > packed.length) {
                throw new UnknownKernelException("the kernel's symbol names end within number " + i + " of " + count);
            }
            int start = end;
            for (int k = 0; k < length; k++) {
                byte[] token = from.tokens()[packed[at++] & 255];
                if (end + token.length > names.length) {
                    if (names.length >= MOST_BYTES * 2) {
                        throw new UnknownKernelException("the kernel's symbol names are longer than any kernel's");
                    }
                    names = Arrays.copyOf(names, names.length * 2);
                }
                System.arraycopy(token, 0, names, end, token.length);
                end += token.length;
            }
            ends[i] = end;
            if (end > start && "tTwW".indexOf(names[start]) >= 0 && offsets[i] < 0) {
                textKeys[texts++] = (-1L - offsets[i]) << 20 | i;
            }
        }
        long[] sorted = Arrays.copyOf(textKeys, texts);
        Arrays.sort(sorted);
        int[] text = new int[texts];
        for (int i = 0; i < texts; i++) {
            text[i] = (int) (sorted[i] & (MOST - 1));
        }
        return new Table(from, names, ends, offsets, text);
    }

    /** KALLSYMS_ABSOLUTE_PERCPU: what is not negative is itself, the rest counts from the base. */
    private long address(int number) {
        int offset = table.offsets()[number];
        return offset >= 0 ? offset : base - 1 - offset;
    }

    private static byte[][] tokens(AddressSpace space, long table, long index) throws IOException {
        ByteBuffer indexes = space.bytes(index, 512);
        byte[][] tokens = new byte[256][];
        for (int i = 0; i < 256; i++) {
            tokens[i] =
                    space.text(table + (indexes.getShort(2 * i) & 0xffff), 512).getBytes(StandardCharsets.UTF_8);
        }
        return tokens;
    }

    public int size() {
        return table.ends().length;
    }

    /** The address of the first symbol of this name. */
    public OptionalLong find(String name) {
        byte[] wanted = name.getBytes(StandardCharsets.UTF_8);
        byte[] names = table.names();
        int[] ends = table.ends();
        for (int i = 0; i < ends.length; i++) {
            int start = start(i) + 1;
            if (ends[i] - start == wanted.length && Arrays.equals(names, start, ends[i], wanted, 0, wanted.length)) {
                return OptionalLong.of(address(i));
            }
        }
        return OptionalLong.empty();
    }

    /** @throws UnknownKernelException when there is no such symbol */
    public long need(String name) throws UnknownKernelException {
        return find(name).orElseThrow(() -> new UnknownKernelException("the kernel has no symbol " + name));
    }

    /** The text symbol that an address is in; of several at one address, the first global one that the table has. */
    public Optional<Symbol> textAt(long address) {
        byte[] names = table.names();
        int[] text = table.text();
        int low = 0;
        int high = text.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(address(text[middle]), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        if (high < 0) {
            return Optional.empty();
        }
        int best = high;
        for (int i = high; i >= 0 && address(text[i]) == address(text[high]); i--) {
            if (names[start(text[i])] == 'T' || names[start(text[best])] != 'T') {
                best = i;
            }
        }
        int number = text[best];
        return Optional.of(new Symbol(name(number), address(number)));
    }

    private int start(int number) {
        return number == 0 ? 0 : table.ends()[number - 1];
    }

    private String name(int number) {
        int start = start(number) + 1;
        return new String(table.names(), start, table.ends()[number] - start, StandardCharsets.UTF_8);
    }
}
