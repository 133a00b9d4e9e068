// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import java.io.IOException;
import org.kmorph.vmcore.memory.PhysicalMemory;

/**
 * A kernel seen through its memory.
 *
 * @param info what it left for dump tools
 * @param space its virtual memory
 * @param symbols its own symbols, without those of modules
 * @param types its own types, without those of modules
 */
public record DeadKernel(Vmcoreinfo info, AddressSpace space, Kallsyms symbols, Btf types) {
    private static final long LARGEST_BTF = 1 << 26;

    /** @throws IOException when the memory has no symbols or types that can be read */
    public static DeadKernel read(PhysicalMemory memory, Vmcoreinfo info) throws IOException {
        AddressSpace space = new AddressSpace(memory, info);
        Kallsyms symbols = Kallsyms.read(space, info);
        return new DeadKernel(info, space, symbols, types(space, symbols));
    }

    private static Btf types(AddressSpace space, Kallsyms symbols) throws IOException {
        long start = symbols.need("__start_BTF");
        long length = symbols.need("__stop_BTF") - start;
        if (length < 24 || length > LARGEST_BTF) {
            throw new UnknownKernelException("the kernel claims " + length + " bytes of BTF");
        }
        return Btf.of(space.bytes(start, (int) length).array());
    }

    /** The byte offset of a member. */
    public int offset(String structure, String path) throws UnknownKernelException {
        return types.offset(structure, path);
    }

    /** The number of processors that the kernel made room for, at most 8192. */
    public int processors() throws IOException {
        int count = space.u32(symbols.need("nr_cpu_ids"));
        if (count < 1 || count > 8192) {
            throw new UnknownKernelException("the kernel claims " + count + " processors");
        }
        return count;
    }

    /** Where a processor's copy of a per-CPU variable is. */
    public long perCpu(String symbol, int processor) throws IOException {
        return symbols.need(symbol) + space.u64(symbols.need("__per_cpu_offset") + 8L * processor);
    }
}
