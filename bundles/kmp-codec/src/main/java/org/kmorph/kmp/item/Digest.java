// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import java.nio.ByteBuffer;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * The digest of a region after a round, or of a share of a capture.
 *
 * @param region the region, or the share
 * @param round from 1; 0 for a share
 * @param value as many bytes as the algorithm gives; read-only
 */
public record Digest(long region, long round, DigestAlgorithm algorithm, ByteBuffer value) implements Item {
    public Digest {
        value = value.asReadOnlyBuffer();
        if (value.remaining() != algorithm.bytes()) {
            throw new IllegalArgumentException(
                    algorithm + " gives " + algorithm.bytes() + " bytes, not " + value.remaining());
        }
    }

    static Digest read(PayloadReader in) throws MalformedPayloadException {
        long region = in.u32();
        long round = in.u32();
        DigestAlgorithm algorithm = in.coded16(DigestAlgorithm.values());
        in.reserved(2);
        if (in.remaining() != algorithm.bytes()) {
            throw in.malformed("a digest of " + in.remaining() + " bytes; " + algorithm + " has " + algorithm.bytes());
        }
        byte[] copy = new byte[algorithm.bytes()];
        in.bytes(copy.length).get(copy);
        return new Digest(region, round, algorithm, ByteBuffer.wrap(copy));
    }

    @Override
    public int typeCode() {
        return 0x0013;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u32(region).u32(round).coded16(algorithm).reserved(2).bytes(value);
    }
}
