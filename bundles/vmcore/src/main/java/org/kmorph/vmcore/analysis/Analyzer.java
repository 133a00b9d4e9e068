// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.kmorph.vmcore.kernel.AddressSpace;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.kernel.Vmcoreinfo;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** Reads everything that {@link Analysis} holds; what fails is noted, and the rest goes on. */
public final class Analyzer {
    private static final int MOST_BLOCKED = 32;

    private final PhysicalMemory memory;
    private final Vmcoreinfo info;
    private final List<ByteBuffer> registers;
    private final List<String> notes = new ArrayList<>();

    /** @param registers an NT_PRSTATUS for each processor; may be empty */
    public Analyzer(PhysicalMemory memory, Vmcoreinfo info, List<ByteBuffer> registers) {
        this.memory = memory;
        this.info = info;
        this.registers = registers;
    }

    /** The log alone: needs neither symbols nor types. */
    public List<Dmesg.Line> log() throws IOException {
        return Dmesg.read(new AddressSpace(memory, info), info);
    }

    public Analysis run() {
        List<Dmesg.Line> log = List.of();
        try {
            log = log();
        } catch (IOException e) {
            notes.add("the log: " + e.getMessage());
        }
        Optional<Long> uptime = log.isEmpty()
                ? Optional.empty()
                : Optional.of(log.get(log.size() - 1).nanos());
        DeadKernel kernel;
        try {
            kernel = DeadKernel.read(memory, info);
        } catch (IOException e) {
            notes.add("symbols and types: " + e.getMessage());
            return new Analysis(
                    info.release(),
                    "",
                    Optional.empty(),
                    Optional.empty(),
                    uptime,
                    Optional.empty(),
                    log,
                    Map.of(),
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(),
                    notes);
        }
        return whole(kernel, log, uptime);
    }

    private Analysis whole(DeadKernel kernel, List<Dmesg.Line> log, Optional<Long> uptime) {
        List<Module> modules = new Modules(kernel).all(notes);
        List<Task> tasks = List.of();
        List<Task> current = new ArrayList<>();
        try {
            Tasks reader = new Tasks(kernel);
            tasks = reader.all(notes);
            for (int cpu = 0; cpu < kernel.processors(); cpu++) {
                current.add(reader.current(cpu));
            }
        } catch (IOException e) {
            notes.add("tasks: " + e.getMessage());
        }
        Optional<Integer> panicCpu = panicCpu(kernel);
        return new Analysis(
                info.release(),
                known("the banner", () -> kernel.space()
                                .text(kernel.symbols().need("linux_banner"), 512)
                                .strip())
                        .orElse(""),
                known("the command line", () -> kernel.space()
                        .text(kernel.space().u64(kernel.symbols().need("saved_command_line")), 4096)),
                known("the taint", () -> kernel.space().u64(kernel.symbols().need("tainted_mask"))),
                uptime,
                panicCpu,
                log,
                memory(kernel),
                modules.stream()
                        .map(m -> new Analysis.LoadedModule(
                                m.name(), m.text().start(), m.text().length()))
                        .toList(),
                tasks,
                current,
                traces(kernel, modules, tasks, current, panicCpu),
                notes);
    }

    private Optional<Integer> panicCpu(DeadKernel kernel) {
        return known("the panicking processor", () -> kernel.space()
                        .u32(kernel.symbols().need("panic_cpu")))
                .filter(cpu -> cpu >= 0 && cpu < 8192);
    }

    private List<Backtrace> traces(
            DeadKernel kernel, List<Module> modules, List<Task> tasks, List<Task> current, Optional<Integer> panicCpu) {
        List<Backtrace> traces = new ArrayList<>();
        Set<Long> running = new HashSet<>();
        try {
            Unwinder unwinder = new Unwinder(kernel, new Code(kernel, modules));
            for (int cpu = 0; cpu < current.size(); cpu++) {
                Backtrace trace = onProcessor(unwinder, current.get(cpu), cpu);
                running.add(current.get(cpu).address());
                traces.add(panicCpu.isPresent() && panicCpu.get() == cpu ? 0 : traces.size(), trace);
            }
            tasks.stream()
                    .filter(t -> t.state().equals("D") && !running.contains(t.address()))
                    .limit(MOST_BLOCKED)
                    .forEach(t -> traces.add(unwinder.sleeping(t)));
        } catch (IOException e) {
            notes.add("backtraces: " + e.getMessage());
        }
        return traces;
    }

    private Backtrace onProcessor(Unwinder unwinder, Task task, int cpu) {
        Optional<Backtrace> found = unwinder.fromStack(task, cpu);
        if (cpu < registers.size()) {
            Backtrace exact = unwinder.fromRegisters(task, cpu, registers.get(cpu));
            if (!exact.frames().isEmpty() || found.isEmpty()) {
                return exact;
            }
        }
        return found.orElseGet(() ->
                new Backtrace(task, cpu, List.of(), "not known: the processor's registers were not kept", "nothing"));
    }

    private Map<String, Long> memory(DeadKernel kernel) {
        Map<String, Long> pages = new LinkedHashMap<>();
        put(pages, "total", kernel, "_totalram_pages", "");
        put(pages, "free", kernel, "vm_zone_stat", "NR_FREE_PAGES");
        put(pages, "file", kernel, "vm_node_stat", "NR_FILE_PAGES");
        put(pages, "anonymous", kernel, "vm_node_stat", "NR_ANON_MAPPED");
        put(pages, "shared", kernel, "vm_node_stat", "NR_SHMEM");
        put(pages, "slab_reclaimable", kernel, "vm_node_stat", "NR_SLAB_RECLAIMABLE_B");
        put(pages, "slab_unreclaimable", kernel, "vm_node_stat", "NR_SLAB_UNRECLAIMABLE_B");
        return pages;
    }

    private void put(Map<String, Long> pages, String name, DeadKernel kernel, String symbol, String enumerator) {
        known("memory in use, " + name, () -> {
                    long index = enumerator.isEmpty()
                            ? 0
                            : kernel.types()
                                    .enumerator(enumerator)
                                    .orElseThrow(() -> new IOException("the kernel has no " + enumerator));
                    return kernel.space().u64(kernel.symbols().need(symbol) + 8 * index);
                })
                .ifPresent(count -> pages.put(name, count));
    }

    private <T> Optional<T> known(String what, Reading<T> reading) {
        try {
            return Optional.of(reading.get());
        } catch (IOException e) {
            notes.add(what + ": " + e.getMessage());
            return Optional.empty();
        }
    }

    private interface Reading<T> {
        T get() throws IOException;
    }
}
