// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.io.IOException;
import java.util.Optional;
import org.kmorph.vmcore.kernel.DeadKernel;

/**
 * Unwind tables of the kernel and its modules (arch/x86/include/asm/orc_types.h in its source): what holds from each address of
 * code on. The entries' encoding changed in Linux 6.4. One thread.
 */
final class Orc {
    private static final int ENTRY = 6;

    private final DeadKernel kernel;
    private final Code code;
    private final boolean since64;
    private final long ownIps;
    private final long ownEntries;
    private final int ownCount;

    /** What an entry says. */
    record Entry(int spOffset, int bpOffset, int spRegister, int bpRegister, Kind kind) {}

    /** Of what kind the frame is. */
    enum Kind {
        UNDEFINED,
        END,
        CALL,
        REGISTERS,
        INTERRUPT
    }

    Orc(DeadKernel kernel, Code code) throws IOException {
        this.kernel = kernel;
        this.code = code;
        since64 = since64(kernel.info().release());
        ownIps = kernel.symbols().need("__start_orc_unwind_ip");
        ownCount = (int) Math.min(1 << 23, (kernel.symbols().need("__stop_orc_unwind_ip") - ownIps) / 4);
        ownEntries = kernel.symbols().need("__start_orc_unwind");
    }

    private static boolean since64(String release) throws IOException {
        String[] parts = release.split("[^0-9]+");
        try {
            int major = Integer.parseInt(parts[0]);
            return major > 6 || major == 6 && Integer.parseInt(parts[1]) >= 4;
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new IOException("the kernel's release \"" + release + "\" is no version", e);
        }
    }

    /** The entry that holds at an address, if tables cover it. */
    Optional<Entry> at(long address) throws IOException {
        if (code.own(address)) {
            return search(address, ownIps, ownEntries, ownCount);
        }
        Optional<Module> module = code.module(address);
        if (module.isEmpty() || module.get().orcCount() <= 0) {
            return Optional.empty();
        }
        return search(
                address, module.get().orcIp(), module.get().orc(), module.get().orcCount());
    }

    private Optional<Entry> search(long address, long ips, long entries, int count) throws IOException {
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            long at = ips + 4L * middle;
            if (Long.compareUnsigned(at + kernel.space().u32(at), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high < 0 ? Optional.empty() : Optional.of(entry(entries + (long) ENTRY * high));
    }

    private Entry entry(long at) throws IOException {
        int spOffset = (short) kernel.space().u16(at);
        int bpOffset = (short) kernel.space().u16(at + 2);
        int bits = kernel.space().u16(at + 4);
        Kind kind;
        if (since64) {
            kind = switch (bits >> 8 & 7) {
                case 1 -> Kind.END;
                case 2 -> Kind.CALL;
                case 3 -> Kind.REGISTERS;
                case 4 -> Kind.INTERRUPT;
                default -> Kind.UNDEFINED;
            };
        } else if ((bits & 15) == 0) {
            kind = (bits >> 10 & 1) == 1 ? Kind.END : Kind.UNDEFINED;
        } else {
            kind = switch (bits >> 8 & 3) {
                case 0 -> Kind.CALL;
                case 1 -> Kind.REGISTERS;
                case 2 -> Kind.INTERRUPT;
                default -> Kind.UNDEFINED;
            };
        }
        return new Entry(spOffset, bpOffset, bits & 15, bits >> 4 & 15, kind);
    }
}
