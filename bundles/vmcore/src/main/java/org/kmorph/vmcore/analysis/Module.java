// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.util.List;
import java.util.Optional;
import org.kmorph.vmcore.memory.Extent;

/**
 * A loaded module.
 *
 * @param name as lsmod shows it
 * @param text its code
 * @param init code of its start, while it starts; then of no length
 * @param taint the bits of the kernel's taint that are its own
 * @param orcCount entries of its unwind tables
 * @param symbols its text symbols, by address
 */
record Module(
        String name,
        Extent text,
        Extent init,
        long taint,
        int orcCount,
        long orcIp,
        long orc,
        List<TextSymbol> symbols) {
    /** A symbol of a module. */
    record TextSymbol(long address, String name) {}

    boolean holds(long address) {
        return holds(text, address) || holds(init, address);
    }

    private static boolean holds(Extent code, long address) {
        return address - code.start() >= 0 && address - code.start() < code.length();
    }

    Optional<TextSymbol> at(long address) {
        TextSymbol found = null;
        for (TextSymbol symbol : symbols) {
            if (symbol.address() > address) {
                break;
            }
            found = symbol;
        }
        return Optional.ofNullable(found);
    }
}
