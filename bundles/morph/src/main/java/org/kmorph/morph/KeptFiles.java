// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.message.Chunk;
import org.kmorph.kmp.message.Extent;
import org.kmorph.kmp.message.TransferData;

/** In sparse files, one for each region. They are not synced. */
final class KeptFiles implements Kept {
    private static final String LIST = "regions";

    private final Path directory;
    private final Map<Long, FileChannel> files = new ConcurrentHashMap<>();
    private final Map<Long, Long> sizes = new ConcurrentHashMap<>();
    private final Map<Long, Long> rounds = new ConcurrentHashMap<>();
    private final List<Region> regions;

    private KeptFiles(Path directory, List<Region> regions) {
        this.directory = directory;
        this.regions = List.copyOf(regions);
    }

    /** A directory of its own, which is made when it is needed. */
    record Place(Path directory) implements Kept.Place {
        @Override
        public Kept begin(List<Region> regions) throws IOException {
            return KeptFiles.begin(directory, regions);
        }

        @Override
        public Kept reopen() throws IOException {
            return KeptFiles.reopen(directory);
        }

        @Override
        public void remove() throws IOException {
            KeptFiles.remove(directory);
        }
    }

    private static Kept begin(Path directory, List<Region> regions) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        List<String> lines = regions.stream()
                .map(region -> region.region() + " " + region.kind() + " " + region.bytes() + " " + region.name())
                .toList();
        Files.write(directory.resolve(LIST), lines);
        return new KeptFiles(directory, regions);
    }

    private static Kept reopen(Path directory) throws IOException {
        List<Region> regions = new ArrayList<>();
        for (String line : Files.readAllLines(directory.resolve(LIST))) {
            String[] words = line.split(" ", 4);
            regions.add(new Region(
                    Long.parseLong(words[0]), Integer.parseInt(words[1]), 0, Long.parseLong(words[2]), words[3]));
        }
        KeptFiles kept = new KeptFiles(directory, regions);
        for (Region region : regions) {
            kept.sizes.put(
                    region.region(),
                    Files.exists(kept.path(region.region())) ? Files.size(kept.path(region.region())) : 0L);
        }
        return kept;
    }

    @Override
    public List<Region> regions() {
        return regions;
    }

    @Override
    public long size(long region) {
        return sizes.getOrDefault(region, 0L);
    }

    @Override
    public void write(TransferData data) throws IOException {
        FileChannel file = file(data.region());
        Long before = rounds.put(data.region(), data.round());
        boolean memory = isMemory(data.region());
        if (!memory && before != null && before != data.round()) {
            file.truncate(0);
            sizes.put(data.region(), 0L);
        }
        ByteBuffer bytes = unpacked(data.chunk());
        for (Extent extent : data.chunk().extents()) {
            boolean zero = extent.content() == Extent.Content.ZERO;
            if (!zero) {
                ByteBuffer part = bytes.slice(bytes.position(), (int) extent.length());
                bytes.position(bytes.position() + (int) extent.length());
                long at = extent.offset();
                while (part.hasRemaining()) {
                    at += file.write(part, at);
                }
            } else if (extent.offset() < file.size()) {
                zero(file, extent.offset(), Math.min(extent.length(), file.size() - extent.offset()));
            }
            sizes.merge(data.region(), extent.offset() + extent.length(), Math::max);
        }
    }

    /** What it expands to is bounded by what it says, and that by what a chunk may be. */
    private static ByteBuffer unpacked(Chunk chunk) throws IOException {
        if (!chunk.compressed()) {
            return chunk.data().duplicate();
        }
        byte[] packed = new byte[chunk.data().remaining()];
        chunk.data().duplicate().get(packed);
        byte[] bytes = new byte[(int) chunk.rawLength()];
        try (ZstdDecompressCtx zstd = new ZstdDecompressCtx()) {
            int length = zstd.decompressByteArray(bytes, 0, bytes.length, packed, 0, packed.length);
            if (length == bytes.length) {
                return ByteBuffer.wrap(bytes);
            }
            throw new IOException("a chunk expands to " + length + " bytes; " + bytes.length + " are expected");
        } catch (ZstdException e) {
            throw new IOException("a chunk is no zstd frame of " + bytes.length + " bytes", e);
        }
    }

    private static void zero(FileChannel file, long offset, long length) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(length, 1 << 16));
        for (long at = offset; at < offset + length; ) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), offset + length - at));
            at += file.write(zeros, at);
        }
    }

    @Override
    public ByteBuffer read(long region, long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        FileChannel file = file(region);
        int got = 0;
        while (bytes.hasRemaining() && got >= 0) {
            got = file.read(bytes, offset + bytes.position());
        }
        return bytes.position(length).flip();
    }

    private boolean isMemory(long region) {
        return regions.stream().anyMatch(known -> known.region() == region && known.kind() == 1);
    }

    private FileChannel file(long region) throws IOException {
        FileChannel open = files.get(region);
        if (open == null) {
            open = FileChannel.open(
                    path(region), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            files.put(region, open);
        }
        return open;
    }

    private Path path(long region) {
        return directory.resolve("region-" + region);
    }

    private static void remove(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> found = Files.walk(directory)) {
            for (Path path : found.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    @Override
    public void close() throws IOException {
        for (FileChannel file : files.values()) {
            file.close();
        }
        files.clear();
    }
}
