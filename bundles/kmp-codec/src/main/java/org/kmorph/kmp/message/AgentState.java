// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** How an agent is. */
public enum AgentState implements Coded {
    STARTING(1),
    READY(2),
    /** Works, with a trouble. */
    DEGRADED(3),
    /** Takes part in a morph. */
    MORPHING(4),
    STOPPING(5);

    private final int code;

    AgentState(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
