// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** What is to be validated. */
public enum ValidateScope implements Coded {
    /** Everything that can be tried before the freeze. */
    REHEARSAL(1),
    /** The final state's digests: quick. */
    FINAL(2);

    private final int code;

    ValidateScope(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
