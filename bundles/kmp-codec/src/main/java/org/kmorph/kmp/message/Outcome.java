// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** How a recovery or a share of a capture ended. */
public enum Outcome implements Coded {
    DONE(1),
    PARTIAL(2),
    FAILED(3),
    CANCELLED(4);

    private final int code;

    Outcome(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
