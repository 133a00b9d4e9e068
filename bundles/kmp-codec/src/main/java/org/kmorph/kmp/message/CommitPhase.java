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
    RETIRE(4),
    /** To the source: freeze, the final round to the target, its validation, and the release, in one go. */
    HAND_OVER(5),
    /** From the source's agent to the target's: it has released, and its connections can be taken over. */
    TAKE(6),
    /** To the target: never to begin the workload, if it has not begun yet. */
    GIVE_BACK(7);

    private final int code;

    CommitPhase(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
