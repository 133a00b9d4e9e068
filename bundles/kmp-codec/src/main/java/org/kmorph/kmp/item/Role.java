// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Coded;

/** What an agent is in an operation. */
public enum Role implements Coded {
    /** The old kernel of a morph. */
    SOURCE(1),
    /** The new one. */
    TARGET(2),
    /** Of a recovery or capture. */
    SURVIVOR(3);

    private final int code;

    Role(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
