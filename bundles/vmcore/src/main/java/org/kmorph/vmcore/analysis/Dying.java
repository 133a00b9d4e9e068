// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.util.List;
import java.util.Set;

/** Tells the frames of a kernel's dying from those that led to it. */
final class Dying {
    /** panic and what is around it in kernel/panic.c. */
    private static final Set<String> PANIC = Set.of("panic", "vpanic", "nmi_panic");

    /** Between a fault and panic: arch/x86/kernel/dumpstack.c and traps.c, arch/x86/mm/fault.c, and the entries of their exceptions. */
    private static final Set<String> FAULT = Set.of(
            "oops_end",
            "die",
            "die_addr",
            "__die",
            "no_context",
            "page_fault_oops",
            "kernelmode_fixup_or_oops",
            "bad_area_nosemaphore",
            "__bad_area_nosemaphore",
            "do_kern_addr_fault",
            "do_user_addr_fault",
            "handle_bug",
            "do_trap",
            "do_error_trap",
            "exc_page_fault",
            "asm_exc_page_fault",
            "exc_general_protection",
            "asm_exc_general_protection",
            "exc_invalid_op",
            "asm_exc_invalid_op",
            "exc_divide_error",
            "asm_exc_divide_error",
            "unknown_nmi_error",
            "default_do_nmi",
            "exc_nmi",
            "asm_exc_nmi",
            "end_repeat_nmi",
            "panic_smp_self_stop",
            "crash_save_cpu",
            "__crash_kexec");

    /** Frames of one fault that may stand between two that are known. */
    private static final int GAP = 3;

    /** Where a processor with nothing to do is: kernel/sched/idle.c, drivers/cpuidle and what halts in arch/x86. */
    private static final Set<String> IDLE = Set.of(
            "do_idle",
            "default_idle",
            "default_idle_call",
            "cpuidle_enter",
            "cpuidle_enter_state",
            "cpuidle_idle_call",
            "native_safe_halt",
            "pv_native_safe_halt",
            "acpi_idle_enter",
            "mwait_idle",
            "intel_idle");

    private Dying() {}

    /** A function's name without what the compiler appends. */
    static String base(String function) {
        int dot = function.indexOf('.');
        return dot > 0 ? function.substring(0, dot) : function;
    }

    /** Whether a processor with these frames, innermost first, has nothing to do. */
    static boolean isIdle(List<Frame> frames) {
        return frames.stream().anyMatch(frame -> IDLE.contains(base(frame.function())));
    }

    /**
     * What led to the end: the frames, innermost first, without panic, what it calls, and the fault below it.
     *
     * @param interrupted whether what is looked for was interrupted by what found it: a timer that watches, an NMI
     */
    static List<Frame> cause(List<Frame> frames, boolean interrupted) {
        int from = 0;
        for (int i = 0; i < frames.size(); i++) {
            if (PANIC.contains(base(frames.get(i).function()))) {
                from = i + 1;
            }
        }
        boolean entered = false;
        for (int i = from; !entered && i < Math.min(frames.size(), from + GAP); i++) {
            String function = base(frames.get(i).function());
            if (FAULT.contains(function)) {
                from = i + 1;
                // where the processor came in: what is below may have had an exception of its own
                entered = function.startsWith("asm_") || function.equals("end_repeat_nmi");
            }
        }
        for (int i = from; interrupted && i < frames.size(); i++) {
            if (frames.get(i).function().startsWith("asm_sysvec_")) {
                from = i + 1;
                break;
            }
        }
        return frames.subList(from, frames.size());
    }
}
