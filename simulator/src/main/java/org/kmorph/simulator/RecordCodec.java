// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.kmorph.api.journal.Entry;

/** What one append writes: a length, a checksum, and the entries. What is torn is not read. */
final class RecordCodec {
    private static final int HEADER = 8;

    private RecordCodec() {}

    /** Entries that were appended together. */
    record Batch(Instant time, List<Entry> entries) {}

    static byte[] encode(Batch batch) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeLong(0);
            out.writeLong(batch.time().getEpochSecond());
            out.writeInt(batch.time().getNano());
            out.writeInt(batch.entries().size());
            for (Entry entry : batch.entries()) {
                write(entry, out);
            }
            ByteBuffer whole = ByteBuffer.wrap(bytes.toByteArray());
            whole.putInt(0, whole.capacity() - HEADER);
            whole.putInt(4, checksum(whole.array(), HEADER, whole.capacity() - HEADER));
            return whole.array();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Entry entry, DataOutputStream out) throws IOException {
        out.writeUTF(entry.kind());
        out.writeUTF(entry.key());
        out.writeUTF(entry.instance().orElse(""));
        out.writeBoolean(entry.closes());
        out.writeInt(entry.fields().size());
        for (Map.Entry<String, String> field : entry.fields().entrySet()) {
            out.writeUTF(field.getKey());
            out.writeUTF(field.getValue());
        }
    }

    private static int checksum(byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return (int) crc.getValue();
    }

    /** Where the batch at a place ends; empty when there is no whole one. */
    static Optional<Integer> end(byte[] file, int from) {
        if (file.length - from < HEADER) {
            return Optional.empty();
        }
        ByteBuffer header = ByteBuffer.wrap(file, from, HEADER);
        int length = header.getInt();
        int crc = header.getInt();
        boolean whole =
                length > 0 && length <= file.length - from - HEADER && checksum(file, from + HEADER, length) == crc;
        return whole ? Optional.of(from + HEADER + length) : Optional.empty();
    }

    static Batch decode(byte[] file, int from, int end) {
        try {
            DataInputStream in =
                    new DataInputStream(new ByteArrayInputStream(file, from + HEADER, end - from - HEADER));
            Instant time = Instant.ofEpochSecond(in.readLong(), in.readInt());
            int count = in.readInt();
            List<Entry> entries = new ArrayList<>();
            for (int read = 0; read < count; read++) {
                entries.add(read(in));
            }
            return new Batch(time, entries);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Entry read(DataInputStream in) throws IOException {
        String kind = in.readUTF();
        String key = in.readUTF();
        String instance = in.readUTF();
        boolean closes = in.readBoolean();
        Map<String, String> fields = new TreeMap<>();
        int count = in.readInt();
        for (int read = 0; read < count; read++) {
            fields.put(in.readUTF(), in.readUTF());
        }
        return new Entry(kind, key, instance.isEmpty() ? Optional.empty() : Optional.of(instance), closes, fields);
    }
}
