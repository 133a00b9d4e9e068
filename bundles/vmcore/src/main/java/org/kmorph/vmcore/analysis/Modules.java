// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.kmorph.vmcore.kernel.AddressSpace;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.memory.Extent;

/** Reads the list of modules with their symbols. */
final class Modules {
    private static final int MOST = 4096;
    private static final int MOST_SYMBOLS = 1 << 16;

    private final DeadKernel kernel;
    private final AddressSpace space;

    Modules(DeadKernel kernel) {
        this.kernel = kernel;
        this.space = kernel.space();
    }

    List<Module> all(List<String> notes) {
        List<Module> found = new ArrayList<>();
        Set<Long> seen = new HashSet<>();
        try {
            long head = kernel.symbols().need("modules");
            int list = kernel.offset("module", "list");
            for (long node = space.u64(head); node != head; node = space.u64(node)) {
                if (!seen.add(node) || seen.size() > MOST) {
                    notes.add("the list of modules is damaged: it runs in a circle");
                    break;
                }
                found.add(module(node - list, notes));
            }
        } catch (IOException e) {
            notes.add("the list of modules ends early: " + e.getMessage());
        }
        return found;
    }

    private Module module(long at, List<String> notes) throws IOException {
        String name = space.text(at + kernel.offset("module", "name"), 56);
        Extent text = text(at, "core_layout", "MOD_TEXT");
        List<Module.TextSymbol> symbols = List.of();
        try {
            symbols = symbols(space.u64(at + kernel.offset("module", "kallsyms")));
        } catch (IOException e) {
            notes.add("symbols of module " + name + ": " + e.getMessage());
        }
        return new Module(
                name,
                text,
                text(at, "init_layout", "MOD_INIT_TEXT"),
                space.u64(at + kernel.offset("module", "taints")),
                space.u32(at + kernel.offset("module", "arch.num_orcs")),
                space.u64(at + kernel.offset("module", "arch.orc_unwind_ip")),
                space.u64(at + kernel.offset("module", "arch.orc_unwind")),
                symbols);
    }

    /** Code of a kind: since 6.4 there is an array of memory by kind, before that a layout for each time of life. */
    private Extent text(long at, String layout, String kind) throws IOException {
        if (kernel.types().find("module", layout).isPresent()) {
            return new Extent(
                    space.u64(at + kernel.offset("module", layout + ".base")),
                    space.u32(at + kernel.offset("module", layout + ".size")) & 0xffffffffL);
        }
        long index = kernel.types().enumerator(kind).orElseThrow(Modules::unknown);
        int type = kernel.types().structure("module_memory").orElseThrow(Modules::unknown);
        long memory =
                at + kernel.offset("module", "mem") + index * kernel.types().size(type);
        return new Extent(
                space.u64(memory + kernel.offset("module_memory", "base")),
                space.u32(memory + kernel.offset("module_memory", "size")) & 0xffffffffL);
    }

    private static IOException unknown() {
        return new IOException("where the kernel has its modules' code is not known");
    }

    private List<Module.TextSymbol> symbols(long tables) throws IOException {
        if (tables == 0) {
            return List.of();
        }
        int count = space.u32(tables + kernel.offset("mod_kallsyms", "num_symtab"));
        if (count < 0 || count > MOST_SYMBOLS) {
            throw new IOException("claims " + count + " symbols");
        }
        long strings = space.u64(tables + kernel.offset("mod_kallsyms", "strtab"));
        ByteBuffer kinds = space.bytes(space.u64(tables + kernel.offset("mod_kallsyms", "typetab")), count);
        // Elf64_Sym: name u32, info u8, other u8, section u16, value u64, size u64
        ByteBuffer table = space.bytes(space.u64(tables + kernel.offset("mod_kallsyms", "symtab")), 24 * count);
        List<Module.TextSymbol> found = new ArrayList<>();
        for (int i = 1; i < count; i++) {
            long value = table.getLong(24 * i + 8);
            if ("tTwW".indexOf(kinds.get(i)) >= 0 && value != 0) {
                found.add(
                        new Module.TextSymbol(value, space.text(strings + (table.getInt(24 * i) & 0xffffffffL), 128)));
            }
        }
        found.sort(Comparator.comparingLong(Module.TextSymbol::address));
        return found;
    }
}
