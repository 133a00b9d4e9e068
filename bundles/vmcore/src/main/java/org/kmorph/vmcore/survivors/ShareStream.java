// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.kmorph.kmp.item.Digest;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.message.Outcome;
import org.kmorph.kmp.message.VmcoreComplete;
import org.kmorph.kmp.message.VmcoreData;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** What comes of a share, held against what was asked for: docs/kmp.md, Capture. Nothing in it is trusted. One thread. */
final class ShareStream {
    private static final int EXTENT_BYTES = 16;

    /** Runs of a share that may be unreadable: who cannot read more is of no use. */
    private static final int MOST_UNREADABLE = 64;

    private final long number;
    private final Extent run;
    private final MessageDigest digest;
    private long received;
    private long unreadableEnd;
    private int unreadableRuns;

    /** Where bytes go. */
    @FunctionalInterface
    interface Sink {
        /** @param bytes of use during the call only */
        void write(long address, ByteBuffer bytes) throws IOException;
    }

    ShareStream(long number, Extent run) {
        this.number = number;
        this.run = run;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    long number() {
        return number;
    }

    /** All of the run before it is here. */
    long received() {
        return received;
    }

    /**
     * Takes a chunk that follows what is here, or was here before and then changes nothing.
     *
     * @return what of it could not be read
     * @throws LieException when it is not what may come now; some of its bytes may have been written
     */
    List<Extent> take(VmcoreData data, Sink to) throws LieException, IOException {
        if (data.streamOffset() < received) {
            return List.of();
        }
        if (data.chunk().compressed()) {
            throw new LieException("it sends packed data, which it was not asked for");
        }
        ByteBuffer bytes = data.chunk().data().duplicate();
        List<Extent> unreadable = new ArrayList<>();
        for (org.kmorph.kmp.message.Extent extent : data.chunk().extents()) {
            check(extent);
            digest.update(head(extent));
            switch (extent.content()) {
                case BYTES -> {
                    ByteBuffer part = bytes.slice(bytes.position(), (int) extent.length());
                    bytes.position(bytes.position() + (int) extent.length());
                    digest.update(part.duplicate());
                    to.write(extent.offset(), part);
                }
                case UNREADABLE -> addUnreadable(unreadable, extent);
                case ZERO -> {
                    // so is what was not written
                }
            }
            received += extent.length();
        }
        return unreadable;
    }

    private void addUnreadable(List<Extent> all, org.kmorph.kmp.message.Extent extent) throws LieException {
        Extent added = new Extent(extent.offset(), extent.length());
        if (extent.offset() != unreadableEnd || unreadableRuns == 0) {
            unreadableRuns++;
        }
        unreadableEnd = added.end();
        if (unreadableRuns > MOST_UNREADABLE) {
            throw new LieException("it cannot read more than " + MOST_UNREADABLE + " runs of its share");
        }
        int last = all.size() - 1;
        if (last >= 0 && all.get(last).end() == added.start()) {
            all.set(last, new Extent(all.get(last).start(), all.get(last).length() + added.length()));
        } else {
            all.add(added);
        }
    }

    private void check(org.kmorph.kmp.message.Extent extent) throws LieException {
        long expected = run.start() + received;
        if (extent.offset() != expected
                || extent.length() > run.length() - received
                || extent.length() % PhysicalMemory.PAGE != 0) {
            throw new LieException(String.format(
                    "it sends %d bytes at 0x%x where pages at 0x%x are to follow, at most %d bytes",
                    extent.length(), extent.offset(), expected, run.length() - received));
        }
    }

    /** As on the wire. */
    private static byte[] head(org.kmorph.kmp.message.Extent extent) {
        return ByteBuffer.allocate(EXTENT_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(extent.offset())
                .putInt((int) extent.length())
                .putInt(extent.content().code())
                .array();
    }

    /** Holds its end against what has come. Once. @throws LieException when they differ */
    void check(VmcoreComplete complete) throws LieException {
        if (complete.outcome() != Outcome.DONE && complete.outcome() != Outcome.PARTIAL) {
            throw new LieException("it says that its share is " + complete.outcome());
        }
        if (received != run.length() || complete.streamBytes() != received) {
            throw new LieException("it says that " + complete.streamBytes() + " bytes were its share; " + received
                    + " have come of " + run.length());
        }
        Digest told = Items.first(complete.items(), Digest.class)
                .orElseThrow(() -> new LieException("its share ends without a digest"));
        byte[] own = digest.digest();
        if (told.region() != number
                || told.algorithm() != DigestAlgorithm.SHA256
                || !told.value().equals(ByteBuffer.wrap(own))) {
            throw new LieException("the digest of its share is " + told.algorithm() + " of share " + told.region()
                    + "; what came has SHA-256 " + HexFormat.of().formatHex(own) + " and another value");
        }
    }
}
