// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Coded;

/** What a digest is made with. */
public enum DigestAlgorithm implements Coded {
    /** FIPS 180-4; every peer knows it. */
    SHA256(1, 32),
    /** XXH64 with seed 0, little-endian; both peers must have {@link Capability#XXH64}. */
    XXH64(2, 8);

    private final int code;

    private final int bytes;

    DigestAlgorithm(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    @Override
    public int code() {
        return code;
    }

    /** How long its digests are. */
    public int bytes() {
        return bytes;
    }
}
