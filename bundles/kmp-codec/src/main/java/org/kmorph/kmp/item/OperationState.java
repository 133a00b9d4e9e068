// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Coded;

/** Where an agent stands in an operation. */
public enum OperationState implements Coded {
    /** Never heard of it, or forgotten. */
    UNKNOWN(0),
    PREPARED(1),
    NEGOTIATED(2),
    TRANSFERRING(3),
    VALIDATED(4),
    /** The source's workload stands still, under a lease. */
    FROZEN(5),
    /** The workload has been given up for good. */
    RELEASED(6),
    /** The source runs on: the lease ended, or it was rolled back while frozen. */
    RESUMED(7),
    /** The target runs the workload. */
    ACTIVE(8),
    /** Dropped; nothing is left of it. */
    ROLLED_BACK(9),
    RECLAIMED(10),
    COMPLETE(11),
    CAPTURING(12);

    private final int code;

    OperationState(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
