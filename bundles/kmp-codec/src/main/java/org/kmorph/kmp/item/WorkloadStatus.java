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
 * @param sinceNanos the boot time of its last change of state
 */
public record WorkloadStatus(long pid, int exitStatus, long starts, long sinceNanos) implements Item {
    static WorkloadStatus read(PayloadReader in) throws MalformedPayloadException {
        long pid = in.u32();
        int exitStatus = in.i32();
        long starts = in.u32();
        in.reserved(4);
        long sinceNanos = in.u64();
        return new WorkloadStatus(pid, exitStatus, starts, sinceNanos);
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
        out.reserved(4);
        out.u64(sinceNanos);
    }
}
