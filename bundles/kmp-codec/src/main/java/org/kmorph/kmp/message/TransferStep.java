// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** What a KMP_MORPH_TRANSFER_STATE is. */
public enum TransferStep implements Coded {
    PULL(1),
    DATA(2),
    END(3);

    private final int code;

    TransferStep(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
