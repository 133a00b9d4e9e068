// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is made of a log and of backtraces. */
class VerdictTest {
    private static final Task TASK = new Task(1, 79, 79, "trouble", "R", 0, 0, 0);
    private static final String SYSRQ = "Kernel panic - not syncing: sysrq triggered crash";

    private static Backtrace trace(String... functions) {
        List<Frame> frames = new ArrayList<>();
        for (String function : functions) {
            String[] parts = function.split(" ");
            frames.add(new Frame(-1, 0, parts[0], 16, parts.length > 1 ? parts[1] : ""));
        }
        return new Backtrace(TASK, 0, frames, "user", "registers");
    }

    private static Verdict verdict(List<String> log, Backtrace... traces) {
        return Verdict.of(new Analysis(
                "6.1.0",
                "",
                Optional.empty(),
                Optional.empty(),
                log.isEmpty() ? Optional.empty() : Optional.of(5_400_000_000L),
                Optional.of(0),
                log.stream().map(text -> new Dmesg.Line(5_400_000_000L, text)).toList(),
                Map.of(),
                List.of(),
                List.of(),
                Stream.of(traces).map(Backtrace::task).toList(),
                List.of(traces),
                List.of()));
    }

    @Test
    void aPanicIsWhereItWasCalledAndNotWhereItsNotifiersStand() {
        Verdict whole = verdict(
                List.of(SYSRQ),
                trace(
                        "pvpanic_notify pvpanic",
                        "notifier_call_chain",
                        "panic",
                        "sysrq_handle_crash",
                        "__handle_sysrq.cold"));
        assertThat(whole.kind()).isEqualTo(Verdict.Kind.PANIC);
        assertThat(whole.paragraph())
                .contains("panicked in sysrq_handle_crash+0x10 on CPU 0, in task 79 (trouble), 5.4 s")
                .contains("sysrq triggered crash");
        Verdict withoutRegisters = verdict(List.of(SYSRQ), trace("sysrq_handle_crash", "__handle_sysrq"));
        assertThat(whole.signature()).isNotEmpty().isEqualTo(withoutRegisters.signature());
    }

    @Test
    void aFaultIsWhereItHappenedAndAnOuterOneIsPartOfTheCause() {
        List<String> log = List.of(
                "BUG: kernel NULL pointer dereference, address: 0000000000000010",
                "Kernel panic - not syncing: Fatal exception");
        Verdict found = verdict(
                log,
                trace(
                        "panic",
                        "oops_end",
                        "page_fault_oops",
                        "exc_page_fault",
                        "asm_exc_page_fault",
                        "do_it m",
                        "call_it"));
        assertThat(found.kind()).isEqualTo(Verdict.Kind.OOPS);
        assertThat(found.paragraph()).contains("had a fault in do_it+0x10 [m]").contains("NULL pointer");
        Verdict nested = verdict(
                log,
                trace(
                        "panic",
                        "oops_end",
                        "exc_invalid_op",
                        "asm_exc_invalid_op",
                        "do_anonymous_page",
                        "handle_mm_fault",
                        "do_user_addr_fault",
                        "exc_page_fault",
                        "asm_exc_page_fault"));
        assertThat(nested.paragraph()).contains("in do_anonymous_page");
    }

    @Test
    void aLockUpIsWhatTheTimerInterrupted() {
        Verdict found = verdict(
                List.of(
                        "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [trouble:79]",
                        "Kernel panic - not syncing: softlockup: hung tasks"),
                trace(
                        "panic",
                        "watchdog_timer_fn",
                        "hrtimer_interrupt",
                        "asm_sysvec_apic_timer_interrupt",
                        "spin m",
                        "work"));
        assertThat(found.kind()).isEqualTo(Verdict.Kind.LOCKUP);
        assertThat(found.paragraph()).contains("locked up in spin+0x10 [m]");
    }

    @Test
    void signaturesTellBugsApartAndNotTheirNumbers() {
        String first = verdict(
                        List.of("Kernel panic - not syncing: block 0x17 of 12 lost after 3s"), trace("panic", "a", "b"))
                .signature();
        String again = verdict(
                        List.of("Kernel panic - not syncing: block 0x99 of 7 lost after 55s"),
                        trace("panic", "a.isra.0", "b"))
                .signature();
        String other = verdict(
                        List.of("Kernel panic - not syncing: block 0x17 of 12 lost after 3s"), trace("panic", "c", "b"))
                .signature();
        assertThat(again).isEqualTo(first);
        assertThat(other).isNotEqualTo(first);
    }

    @Test
    void aKernelThatOnlyRanIsNotSaidToHaveHung() {
        List<String> log = List.of("Run /init as init process");
        assertThat(verdict(log, trace("pv_native_safe_halt", "default_idle", "do_idle"))
                        .paragraph())
                .contains("tells of no end", "was running when its memory was read, or", "Its processors were idle.");
        assertThat(verdict(log, trace("spin m", "work")).paragraph())
                .contains("CPU 0 was in spin+0x10 [m], in task 79 (trouble).");
        assertThat(verdict(log, new Backtrace(TASK, 0, List.of(), "not known", "nothing"))
                        .paragraph())
                .contains("Where its processors were is not known.");
        assertThat(verdict(log, trace("spin")).signature()).isEmpty();
        assertThat(verdict(List.of()).kind()).isEqualTo(Verdict.Kind.UNKNOWN);
    }

    @Test
    void runningOutOfMemoryIsTold() {
        Verdict found = verdict(
                List.of("Kernel panic - not syncing: System is deadlocked on memory: no killable processes"),
                trace("panic", "out_of_memory"));
        assertThat(found.kind()).isEqualTo(Verdict.Kind.OUT_OF_MEMORY);
    }
}
