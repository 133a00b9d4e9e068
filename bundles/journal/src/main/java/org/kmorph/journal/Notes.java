// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.JournalException;
import org.kmorph.journal.Writer.Row;

/**
 * Entries that must survive this process and not the machine: they stand in a mapped file until the database takes them, so that to write
 * one is to write to memory. A record is its length and its CRC32C as u32, then time, kind, key, instance, whether it closes, and fields;
 * a length of 0 ends them. Thread-safe, also with others over the same file, here or in another process: a lock on the file says whose
 * turn it is.
 */
final class Notes implements AutoCloseable {
    static final String FILE_NAME = "notes";

    private static final int BYTES = 256 << 10;
    private static final int HEAD = 2 * Integer.BYTES;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final FileChannel channel;
    private final MappedByteBuffer memory;

    /** What is done with the notes before they are forgotten. */
    @FunctionalInterface
    interface Taker {
        long take(List<Row> notes) throws JournalException;
    }

    Notes(Path directory) throws JournalException {
        Path file = directory.resolve(FILE_NAME);
        try {
            channel = FileChannel.open(
                    file,
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            if (channel.size() < BYTES) {
                // written, so that the disk has room for them when they come
                channel.write(ByteBuffer.allocate(BYTES - (int) channel.size()), channel.size());
            }
            memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES);
        } catch (IOException e) {
            throw new JournalException("the journal's notes cannot be opened at " + file + ": " + e.getMessage(), e);
        }
    }

    boolean isEmpty() {
        return memory.getInt(0) == 0;
    }

    /**
     * @param encoded what {@link #encode} made
     * @return whether there was room
     */
    boolean add(byte[] encoded, Instant time) throws JournalException {
        byte[] record = encoded.clone();
        ByteBuffer.wrap(record).putLong(0, Times.toNanos(time));
        try (FileLock held = lock()) {
            int at = end();
            if (at + HEAD + record.length + Integer.BYTES > BYTES) {
                return false;
            }
            memory.put(at + HEAD, record);
            memory.putInt(at + Integer.BYTES, crc(record));
            memory.putInt(at + HEAD + record.length, 0);
            // last: whoever finds a length finds the rest
            memory.putInt(at, record.length);
            return held.isValid();
        } catch (IOException e) {
            throw new JournalException("the journal's notes cannot be written: " + e.getMessage(), e);
        }
    }

    /** Hands the notes over, in their order, and forgets them when that returns. */
    long drain(Taker taker) throws JournalException {
        try (FileLock held = lock()) {
            long taken = taker.take(read());
            if (held.isValid()) {
                memory.putInt(0, 0);
            }
            return taken;
        } catch (IOException e) {
            throw new JournalException("the journal's notes cannot be read: " + e.getMessage(), e);
        }
    }

    private int end() {
        int at = 0;
        while (isRecord(at)) {
            at += HEAD + memory.getInt(at);
        }
        return at;
    }

    private boolean isRecord(int at) {
        int length = at + HEAD < BYTES ? memory.getInt(at) : 0;
        return length > 0 && length <= BYTES - HEAD - at;
    }

    /** What a machine that died has left half on the disk ends them: it means nothing any more. */
    private List<Row> read() {
        List<Row> rows = new ArrayList<>();
        for (int at = 0; isRecord(at); at += HEAD + memory.getInt(at)) {
            byte[] record = new byte[memory.getInt(at)];
            memory.get(at + HEAD, record);
            if (crc(record) != memory.getInt(at + Integer.BYTES)) {
                break;
            }
            rows.add(decode(ByteBuffer.wrap(record)));
        }
        return rows;
    }

    /** A record whose time is still to come. */
    static byte[] encode(Entry entry, byte[] fields) {
        List<byte[]> parts = List.of(
                entry.kind().getBytes(StandardCharsets.UTF_8),
                entry.key().getBytes(StandardCharsets.UTF_8),
                entry.instance().orElse("").getBytes(StandardCharsets.UTF_8),
                fields);
        int length = Long.BYTES
                + 1
                + parts.stream().mapToInt(part -> Integer.BYTES + part.length).sum();
        ByteBuffer out = ByteBuffer.allocate(length).putLong(0).put((byte) (entry.closes() ? 1 : 0));
        for (byte[] part : parts) {
            out.putInt(part.length).put(part);
        }
        return out.array();
    }

    private static Row decode(ByteBuffer in) {
        Instant time = Times.ofNanos(in.getLong());
        boolean closes = in.get() != 0;
        String kind = text(in);
        String key = text(in);
        String instance = text(in);
        byte[] fields = part(in);
        Optional<String> about = Optional.of(instance).filter(name -> !name.isEmpty());
        return new Row(new Entry(kind, key, about, closes, EntryCodec.decode(fields)), time, fields);
    }

    private static String text(ByteBuffer in) {
        return new String(part(in), StandardCharsets.UTF_8);
    }

    private static byte[] part(ByteBuffer in) {
        byte[] part = new byte[in.getInt()];
        in.get(part);
        return part;
    }

    private static int crc(byte[] record) {
        CRC32C crc = new CRC32C();
        crc.update(record);
        return (int) crc.getValue();
    }

    /** In one process the same lock is refused, not waited for. */
    private FileLock lock() throws IOException {
        long until = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try {
                return channel.lock();
            } catch (OverlappingFileLockException e) {
                if (System.nanoTime() - until > 0) {
                    throw new IOException("another part of this process holds them", e);
                }
                Thread.onSpinWait();
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
