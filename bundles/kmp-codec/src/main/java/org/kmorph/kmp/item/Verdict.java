// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Coded;

/** What an answer says to the question of its request. */
public enum Verdict implements Coded {
    /** It was not asked for one. */
    NONE(0),
    YES(1),
    /** Items say why. */
    NO(2);

    private final int code;

    Verdict(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
