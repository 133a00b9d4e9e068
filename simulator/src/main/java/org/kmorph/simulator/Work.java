// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import org.kmorph.kmp.message.WorkloadState;

/** The workload on one kernel. */
final class Work {
    /** Whose workload it is: the same for an instance, for the kernels that it is morphed to, and for its standby. */
    final String of;

    WorkloadState state;

    /** How old the state is that it works on: whoever runs it later has a higher number. */
    long stamp;

    Work(String of, WorkloadState state) {
        this.of = of;
        this.state = state;
    }

    /** Of a name of an instance: what stands before the first dash. */
    static String of(String name) {
        int dash = name.indexOf('-');
        return dash < 0 ? name : name.substring(0, dash);
    }

    /** Whether the kernel that it is on owns it: it runs, or could at any time. */
    boolean owned() {
        return state == WorkloadState.RUNNING || state == WorkloadState.FROZEN;
    }
}
