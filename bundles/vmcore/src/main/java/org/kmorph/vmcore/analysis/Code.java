// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.kernel.Kallsyms;

/** Names addresses of code, the kernel's and its modules'. */
final class Code {
    private final DeadKernel kernel;
    private final List<Module> modules;
    private final long start;
    private final long end;

    Code(DeadKernel kernel, List<Module> modules) throws IOException {
        this.kernel = kernel;
        this.modules = modules;
        start = kernel.symbols().need("_stext");
        end = kernel.symbols().need("_etext");
    }

    /** Whether it is in the kernel's own text. */
    boolean own(long address) {
        return Long.compareUnsigned(address, start) >= 0 && Long.compareUnsigned(address, end) < 0;
    }

    boolean holds(long address) {
        return own(address) || module(address).isPresent();
    }

    Optional<Module> module(long address) {
        return modules.stream().filter(m -> m.holds(address)).findFirst();
    }

    /** A frame at an address; a return address is looked up one byte before, for a call may be a function's last instruction. */
    Frame frame(long address, long stackPointer, boolean exact) {
        long looked = exact ? address : address - 1;
        Optional<Module> module = module(looked);
        if (module.isPresent()) {
            Module m = module.get();
            return m.at(looked)
                    .map(s -> new Frame(address, stackPointer, s.name(), address - s.address(), m.name()))
                    .orElse(new Frame(
                            address, stackPointer, "?", address - m.text().start(), m.name()));
        }
        Optional<Kallsyms.Symbol> symbol = own(looked) ? kernel.symbols().textAt(looked) : Optional.empty();
        return symbol.map(s -> new Frame(address, stackPointer, s.name(), address - s.address(), ""))
                .orElse(new Frame(address, stackPointer, "?", 0, ""));
    }
}
