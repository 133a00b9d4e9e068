// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.util.List;

/**
 * Where a task was.
 *
 * @param task whose
 * @param cpu the processor that it was on, or -1
 * @param frames the innermost first
 * @param end how it ends: whole ("user", "end"), or why it could be followed no further
 * @param source where it begins: what the registers were, where it left the processor, or a stack slot that was found
 */
public record Backtrace(Task task, int cpu, List<Frame> frames, String end, String source) {
    public Backtrace {
        frames = List.copyOf(frames);
    }
}
