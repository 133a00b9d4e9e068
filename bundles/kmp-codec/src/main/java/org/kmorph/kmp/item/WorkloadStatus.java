// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * How the workload's process does.
 *
 * @param pid 0: none
 * @param exitStatus 0 to 255, or 256 + the signal that ended it; -1 while it has not ended
 * @param starts how often it was started
 * @param beginning whether it was told to take over and has not begun to: nobody has heard of it yet
 * @param sinceNanos the boot time of its last change of state
 */
public record WorkloadStatus(long pid, int exitStatus, long starts, boolean beginning, long sinceNanos)
        implements Item {
    private static final long BEGINNING = 1;

    /** Whether it runs no more. */
    public boolean ended() {
        return exitStatus >= 0;
    }

    static WorkloadStatus read(PayloadReader in) throws MalformedPayloadException {
        long pid = in.u32();
        int exitStatus = in.i32();
        long starts = in.u32();
        long flags = in.u32();
        long sinceNanos = in.u64();
        return new WorkloadStatus(pid, exitStatus, starts, (flags & BEGINNING) != 0, sinceNanos);
    }

    @Override
    public int typeCode() {
        return 0x0004;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u32(pid);
        out.i32(exitStatus);
        out.u32(starts);
        out.u32(beginning ? BEGINNING : 0);
        out.u64(sinceNanos);
    }
}
