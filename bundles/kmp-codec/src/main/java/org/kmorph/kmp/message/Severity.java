// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** How much a condition matters. */
public enum Severity implements Coded {
    /** It is over. */
    CLEARED(0),
    WARNING(1),
    CRITICAL(2);

    private final int code;

    Severity(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
