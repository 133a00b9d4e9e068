// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
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

    private final byte[] names;
    private final int[] ends;
    private final long[] addresses;
    /** Numbers of text symbols by address. */
    private final int[] text;

    /** A symbol at or below an address. */
    public record Symbol(String name, long address) {}

    private Kallsyms(byte[] names, int[] ends, long[] addresses, int[] text) {
        this.names = names;
        this.ends = ends;
        this.addresses = addresses;
        this.text = text;
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
        byte[][] tokens = tokens(space, tokenTable, info.need("SYMBOL(kallsyms_token_index)"));
        ByteBuffer offsets = space.bytes(info.need("SYMBOL(kallsyms_offsets)"), 4 * count);
        byte[] packed = space.bytes(namesAt, (int) room).array();
        return unpack(count, base, tokens, offsets, packed);
    }

    private static Kallsyms unpack(int count, long base, byte[][] tokens, ByteBuffer offsets, byte[] packed)
            throws UnknownKernelException {
        byte[] names = new byte[packed.length * 3];
        int[] ends = new int[count];
        long[] addresses = new long[count];
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
                byte[] token = tokens[packed[at++] & 255];
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
            int offset = offsets.getInt(4 * i);
            // KALLSYMS_ABSOLUTE_PERCPU: what is not negative is itself, the rest counts from the base
            addresses[i] = offset >= 0 ? offset : base - 1 - offset;
            if (end > start && "tTwW".indexOf(names[start]) >= 0 && addresses[i] < 0) {
                textKeys[texts++] = (addresses[i] - AddressSpace.TEXT_MAP) << 20 | i;
            }
        }
        long[] sorted = Arrays.copyOf(textKeys, texts);
        Arrays.sort(sorted);
        int[] text = new int[texts];
        for (int i = 0; i < texts; i++) {
            text[i] = (int) (sorted[i] & (MOST - 1));
        }
        return new Kallsyms(names, ends, addresses, text);
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
        return ends.length;
    }

    /** The address of the first symbol of this name. */
    public OptionalLong find(String name) {
        byte[] wanted = name.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < ends.length; i++) {
            int start = start(i) + 1;
            if (ends[i] - start == wanted.length && Arrays.equals(names, start, ends[i], wanted, 0, wanted.length)) {
                return OptionalLong.of(addresses[i]);
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
        int low = 0;
        int high = text.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(addresses[text[middle]], address) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        if (high < 0) {
            return Optional.empty();
        }
        int best = high;
        for (int i = high; i >= 0 && addresses[text[i]] == addresses[text[high]]; i--) {
            if (names[start(text[i])] == 'T' || names[start(text[best])] != 'T') {
                best = i;
            }
        }
        int number = text[best];
        return Optional.of(new Symbol(name(number), addresses[number]));
    }

    private int start(int number) {
        return number == 0 ? 0 : ends[number - 1];
    }

    private String name(int number) {
        return new String(names, start(number) + 1, ends[number] - start(number) - 1, StandardCharsets.UTF_8);
    }
}
