// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** The phases of KMP_MORPH_COMMIT. */
public enum CommitPhase implements Coded {
    /** Changes nothing. */
    QUERY(0),
    QUIESCE(1),
    /** The point of no return. */
    RELEASE(2),
    ACTIVATE(3),
    /** Stops the workload for good, with no successor. */
    RETIRE(4);

    private final int code;

    CommitPhase(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
