// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** Why an operation was begun or given up. */
public enum Cause implements Coded {
    SILENCE(1),
    PANIC(2),
    EXIT(3),
    OPERATOR(4),
    INCOMPATIBLE(5),
    INVALID(6),
    TIMEOUT(7),
    PEER_LOST(8);

    private final int code;

    Cause(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
