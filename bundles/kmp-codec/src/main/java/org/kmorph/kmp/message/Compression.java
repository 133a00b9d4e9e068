// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;

/** How a chunk's data may be compressed. */
public enum Compression implements Coded {
    NONE(0),
    ZSTD(1);

    private final int code;

    Compression(int code) {
        this.code = code;
    }

    @Override
    public int code() {
        return code;
    }
}
