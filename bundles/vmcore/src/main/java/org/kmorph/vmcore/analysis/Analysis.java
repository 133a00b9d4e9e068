// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of a dead kernel. A part that could not be read is empty, and {@code notes} says why.
 *
 * @param release of the kernel
 * @param commandLine that it was booted with, if known
 * @param taint its tainted mask, if known
 * @param uptimeNanos when it last wrote to its log; empty when the log cannot be read
 * @param panicCpu the processor that panicked, if one did
 * @param log all lines, oldest first
 * @param memoryPages counts of pages by what they are used for
 * @param modules names and text sizes
 * @param current the task on each processor
 * @param traces backtraces: of the panicking processor first, then of those on processors, then of tasks in state D
 * @param notes what could not be known, and why
 */
public record Analysis(
        String release,
        String banner,
        Optional<String> commandLine,
        Optional<Long> taint,
        Optional<Long> uptimeNanos,
        Optional<Integer> panicCpu,
        List<Dmesg.Line> log,
        Map<String, Long> memoryPages,
        List<LoadedModule> modules,
        List<Task> tasks,
        List<Task> current,
        List<Backtrace> traces,
        List<String> notes) {

    /** A module and how large its text is, in bytes. */
    public record LoadedModule(String name, long address, long bytes) {}
}
