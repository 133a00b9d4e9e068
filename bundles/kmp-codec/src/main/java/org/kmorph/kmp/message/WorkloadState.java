// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** How an instance's workload is. */
public enum WorkloadState implements Coded {
    /** The agent was given none. */
    NONE(0),
    /** Waits for ACTIVATE. */
    HELD(1),
    STARTING(2),
    RUNNING(3),
    FROZEN(4),
    /** Ended by itself with status 0. */
    EXITED(5),
    /** Ended by itself otherwise, or could not be started. */
    FAILED(6),
    /** Ended by RELEASE or RETIRE. */
    STOPPED(7);

    private final int code;

    WorkloadState(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
