// SPDX-License-Identifier: Apache-2.0
package org.kmorph.bench;

/** The figures of a heartbeat, the same for each codec that is measured; they change with each one, as in life. */
final class Figures {
    static final int INSTANCE_ID = 7;

    static final int AGENT_STATE = 2;

    static final int WORKLOAD_STATE = 3;

    static final int CPU_COUNT = 4;

    static final long BOOT_ID = 0x1122334455667788L;

    static final long MEMORY_TOTAL_BYTES = 1L << 30;

    static final int WANTS = 0;

    static final int FLAGS = 0;

    static final int TROUBLE = 0;

    private int sequence;

    void next() {
        sequence++;
    }

    int sequence() {
        return sequence;
    }

    long timestampNanos() {
        return 1_000_000_000_000L + sequence * 100_000_000L;
    }

    long uptimeMillis() {
        return 1_000_000L + sequence * 100L;
    }

    long memoryAvailableBytes() {
        return (768L << 20) + (sequence & 0xff) * 4096L;
    }

    int cpuUse() {
        return 1000 + (sequence & 0xff);
    }

    int load1() {
        return 75 + (sequence & 7);
    }

    int ioMicros() {
        return 400 + (sequence & 0x7f);
    }

    int ioAgeMillis() {
        return (sequence & 15) * 100;
    }
}
