// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.Digest;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.item.StateKindOffer;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.Chunk;
import org.kmorph.kmp.message.Extent;
import org.kmorph.kmp.message.TransferData;
import org.kmorph.kmp.message.TransferEnd;

/** State that came through the daemon's hands and was kept in files. */
final class KeptHere implements Keeper {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int CHUNK = 512 << 10;
    private static final int PAGE = 4096;

    private final UUID operation;
    private final Kept kept;

    KeptHere(UUID operation, Kept kept) {
        this.operation = operation;
        this.kept = kept;
    }

    @Override
    public List<Item> describe() {
        List<Item> items = new ArrayList<>();
        for (int kind = 1; kind <= 4; kind++) {
            int wanted = kind;
            List<Region> regions = kept.regions().stream()
                    .filter(region -> region.kind() == wanted)
                    .toList();
            if (!regions.isEmpty()) {
                long bytes = regions.stream().mapToLong(Region::bytes).sum();
                items.add(new StateKindOffer(kind, 1, 1, regions.size(), bytes));
            }
        }
        items.addAll(kept.regions());
        return items;
    }

    @Override
    public DigestAlgorithm digest(List<Item> offered) {
        return DigestAlgorithm.SHA256;
    }

    @Override
    public void give(Asking target) throws IOException, InterruptedException {
        for (Region region : kept.regions()) {
            send(target, region.region());
        }
    }

    private void send(Asking target, long region) throws IOException, InterruptedException {
        MessageDigest digest = sha256();
        long size = kept.size(region);
        long covered = 0;
        while (covered < size) {
            int length = (int) Math.min(CHUNK, size - covered);
            Chunk chunk = chunk(kept.read(region, covered, length), covered, covered + length == size);
            add(digest, chunk);
            target.ask(
                    new TransferData(operation, region, 1, covered, true, chunk, List.of()),
                    Acknowledgement.class,
                    PATIENCE);
            covered += length;
        }
        Item value = new Digest(region, 1, DigestAlgorithm.SHA256, ByteBuffer.wrap(digest.digest()));
        target.ask(
                new TransferEnd(operation, region, 1, covered, true, List.of(value)), Acknowledgement.class, PATIENCE);
    }

    /** Pages of zeros are said, not sent. */
    private static Chunk chunk(ByteBuffer bytes, long at, boolean last) {
        List<Extent> extents = new ArrayList<>();
        ByteBuffer data = ByteBuffer.allocate(bytes.remaining());
        for (int from = 0; from < bytes.limit(); from += PAGE) {
            int length = Math.min(PAGE, bytes.limit() - from);
            ByteBuffer page = bytes.slice(from, length);
            boolean zero = page.equals(ByteBuffer.allocate(length));
            extents.add(new Extent(at + from, length, zero ? Extent.Content.ZERO : Extent.Content.BYTES));
            if (!zero) {
                data.put(page);
            }
        }
        return new Chunk(last, false, extents, data.flip());
    }

    private static void add(MessageDigest digest, Chunk chunk) {
        ByteBuffer data = chunk.data().duplicate();
        ByteBuffer head = ByteBuffer.allocate(16).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        for (Extent extent : chunk.extents()) {
            head.clear()
                    .putLong(extent.offset())
                    .putInt((int) extent.length())
                    .putInt(extent.content().code())
                    .flip();
            digest.update(head);
            if (extent.content() == Extent.Content.BYTES) {
                digest.update(data.slice(data.position(), (int) extent.length()));
                data.position(data.position() + (int) extent.length());
            }
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
