// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.expression;

import java.util.Map;
import java.util.Optional;
import org.kmorph.vmcore.kernel.Btf;

/**
 * Types of global variables. A kernel's BTF has only those of variables that each processor has (pahole's default); the others that
 * people ask for are known here by what the kernel's source declares.
 */
final class Variables {
    private static final Map<String, String> STRUCTURES = Map.ofEntries(
            Map.entry("init_task", "task_struct"),
            Map.entry("init_mm", "mm_struct"),
            Map.entry("init_cred", "cred"),
            Map.entry("init_files", "files_struct"),
            Map.entry("init_fs", "fs_struct"),
            Map.entry("init_signals", "signal_struct"),
            Map.entry("init_nsproxy", "nsproxy"),
            Map.entry("init_uts_ns", "uts_namespace"),
            Map.entry("init_pid_ns", "pid_namespace"),
            Map.entry("init_user_ns", "user_namespace"),
            Map.entry("init_net", "net"),
            Map.entry("root_task_group", "task_group"),
            Map.entry("boot_cpu_data", "cpuinfo_x86"),
            Map.entry("modules", "list_head"),
            Map.entry("slab_caches", "list_head"),
            Map.entry("super_blocks", "list_head"),
            Map.entry("panic_notifier_list", "atomic_notifier_head"));

    private static final Map<String, String> NAMED = Map.ofEntries(
            Map.entry("jiffies", "long unsigned int"),
            Map.entry("jiffies_64", "u64"),
            Map.entry("tainted_mask", "long unsigned int"),
            Map.entry("page_offset_base", "long unsigned int"),
            Map.entry("vmalloc_base", "long unsigned int"),
            Map.entry("vmemmap_base", "long unsigned int"),
            Map.entry("nr_cpu_ids", "unsigned int"),
            Map.entry("panic_on_oops", "int"),
            Map.entry("panic_timeout", "int"),
            Map.entry("oops_in_progress", "int"),
            Map.entry("nr_threads", "int"),
            Map.entry("panic_cpu", "atomic_t"),
            Map.entry("_totalram_pages", "atomic_long_t"));

    /** Arrays, whose length the kernel's enumerations tell and BTF does not. */
    private static final Map<String, String> OPEN = Map.of(
            "linux_banner", "char",
            "vm_zone_stat", "atomic_long_t",
            "vm_node_stat", "atomic_long_t",
            "vm_numa_event", "atomic_long_t");

    private static final Map<String, String> POINTERS = Map.of("saved_command_line", "char");

    private Variables() {}

    /** What is at a variable's address. */
    static Optional<Place> at(String name, long address, Btf types) {
        Optional<Integer> own = types.variable(name);
        if (own.isPresent()) {
            return own.map(type -> Place.of(address, type));
        }
        if (STRUCTURES.containsKey(name)) {
            return types.structure(STRUCTURES.get(name)).map(type -> Place.of(address, type));
        }
        if (NAMED.containsKey(name)) {
            return types.named(NAMED.get(name)).map(type -> Place.of(address, type));
        }
        if (OPEN.containsKey(name)) {
            return types.named(OPEN.get(name)).map(type -> new Place(address, type, 0, 0, true));
        }
        return Optional.ofNullable(POINTERS.get(name))
                .flatMap(types::named)
                .flatMap(types::pointerTo)
                .map(type -> Place.of(address, type));
    }
}
