// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** The steps of a negotiation. */
public enum NegotiateStage implements Coded {
    /** To the source: what is there to move? */
    DESCRIBE(1),
    /** To the target: could you take it? */
    OFFER(2),
    /** To both: this was agreed. */
    AGREE(3);

    private final int code;

    NegotiateStage(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
