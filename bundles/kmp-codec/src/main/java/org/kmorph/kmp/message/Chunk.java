// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * Bytes of state or memory: {@code docs/kmp.md}, Chunks. The data is a view, not a copy: of what was decoded it lasts as long
 * as the frame does.
 *
 * @param last the last of its share, or of its region in this round
 * @param compressed the data is one zstd frame of {@link #rawLength} bytes
 * @param extents 1 to {@link Limits#MAX_EXTENTS}
 * @param data the bytes of the extents that are neither zero nor unreadable; read-only
 */
public record Chunk(boolean last, boolean compressed, List<Extent> extents, ByteBuffer data) {
    static final int LAST = 1;

    static final int COMPRESSED = 1 << 1;

    static final int FINAL = 1 << 2;

    public Chunk {
        extents = List.copyOf(extents);
        data = data.asReadOnlyBuffer();
        Optional<String> wrong = wrong(extents, compressed, data.remaining());
        if (wrong.isPresent()) {
            throw new IllegalArgumentException(wrong.get());
        }
    }

    /** How many bytes its extents have in the data, uncompressed. */
    public long rawLength() {
        return rawLength(extents);
    }

    /** How many bytes of the region or memory it stands for, those without data included. */
    public long covers() {
        return extents.stream().mapToLong(Extent::length).sum();
    }

    /** Its flags on the wire, save FINAL. */
    int flags() {
        return (last ? LAST : 0) | (compressed ? COMPRESSED : 0);
    }

    static Chunk read(int flags, int extentCount, long rawLength, long dataLength, PayloadReader in)
            throws MalformedPayloadException {
        if (extentCount < 1 || extentCount > Limits.MAX_EXTENTS) {
            throw in.malformed(extentCount + " extents; 1 to " + Limits.MAX_EXTENTS + " are expected");
        }
        List<Extent> extents = new ArrayList<>(extentCount);
        for (int i = 0; i < extentCount; i++) {
            extents.add(Extent.read(in));
        }
        if (rawLength(extents) != rawLength) {
            throw in.malformed("raw_len is " + rawLength + "; the extents have " + rawLength(extents));
        }
        if (dataLength > in.remaining()) {
            throw in.malformed("data_len is " + dataLength + "; " + in.remaining() + " bytes are left");
        }
        boolean compressed = (flags & COMPRESSED) != 0;
        Optional<String> wrong = wrong(extents, compressed, dataLength);
        if (wrong.isPresent()) {
            throw in.malformed(wrong.get());
        }
        return new Chunk((flags & LAST) != 0, compressed, extents, in.bytes((int) dataLength));
    }

    void write(PayloadWriter out) {
        extents.forEach(extent -> extent.write(out));
        out.bytes(data);
    }

    static void checkWindow(PayloadReader in, long windowBytes) throws MalformedPayloadException {
        if (windowBytes < 1 || windowBytes > Limits.MAX_WINDOW_BYTES) {
            throw in.malformed(
                    "a window of " + windowBytes + " bytes; 1 to " + Limits.MAX_WINDOW_BYTES + " are expected");
        }
    }

    private static Optional<String> wrong(List<Extent> extents, boolean compressed, long dataLength) {
        long rawLength = rawLength(extents);
        if (extents.isEmpty() || extents.size() > Limits.MAX_EXTENTS) {
            return Optional.of(extents.size() + " extents; 1 to " + Limits.MAX_EXTENTS + " are expected");
        }
        if (rawLength > Limits.MAX_CHUNK_BYTES) {
            return Optional.of(
                    "a chunk of " + rawLength + " bytes; at most " + Limits.MAX_CHUNK_BYTES + " are allowed");
        }
        if (!compressed && dataLength != rawLength) {
            return Optional.of("data of " + dataLength + " bytes for extents of " + rawLength);
        }
        return Optional.empty();
    }

    private static long rawLength(List<Extent> extents) {
        return extents.stream()
                .filter(extent -> extent.content() == Extent.Content.BYTES)
                .mapToLong(Extent::length)
                .sum();
    }
}
