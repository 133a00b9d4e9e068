// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.TreeMap;

/**
 * makedumpfile's flattened format: a header of 4096 bytes, then pieces of a file, each with its position and length in front, big-endian;
 * a later piece replaces what it covers of earlier ones; position -1 ends it (makedumpfile's manual page and IMPLEMENTATION file).
 */
final class Flattened implements Source {
    static final String MAGIC = "makedumpfile\0";
    private static final int HEADER = 4096;
    private static final int MOST_PIECES = 1 << 20;

    private final Source file;
    private final TreeMap<Long, Piece> pieces = new TreeMap<>();
    private long size;

    private record Piece(long length, long at) {}

    /** @throws IOException when a piece's length lies; a file that just ends too early is taken as far as it goes */
    Flattened(Source file) throws IOException {
        this.file = file;
        long at = HEADER;
        while (at + 16 <= file.size()) {
            ByteBuffer head = file.bytes(at, 16).order(ByteOrder.BIG_ENDIAN);
            long position = head.getLong(0);
            long length = head.getLong(8);
            if (position == -1) {
                break;
            }
            if (position < 0 || length <= 0 || position > Long.MAX_VALUE - length || pieces.size() >= MOST_PIECES) {
                throw new IOException("the flattened file has a piece of " + length + " bytes at position " + position);
            }
            long there = Math.min(length, file.size() - at - 16);
            if (there > 0) {
                put(position, new Piece(there, at + 16));
                size = Math.max(size, position + there);
            }
            if (there < length) {
                break;
            }
            at += 16 + length;
        }
    }

    private void put(long position, Piece piece) {
        long end = position + piece.length();
        Map.Entry<Long, Piece> before = pieces.lowerEntry(position);
        if (before != null) {
            long beforeEnd = before.getKey() + before.getValue().length();
            if (beforeEnd > end) {
                pieces.put(end, new Piece(beforeEnd - end, before.getValue().at() + end - before.getKey()));
            }
            if (beforeEnd > position) {
                pieces.put(
                        before.getKey(),
                        new Piece(position - before.getKey(), before.getValue().at()));
            }
        }
        Map.Entry<Long, Piece> next = pieces.ceilingEntry(position);
        while (next != null && next.getKey() < end) {
            pieces.remove(next.getKey());
            long nextEnd = next.getKey() + next.getValue().length();
            if (nextEnd > end) {
                pieces.put(end, new Piece(nextEnd - end, next.getValue().at() + end - next.getKey()));
            }
            next = pieces.ceilingEntry(position);
        }
        pieces.put(position, piece);
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long position, ByteBuffer into) throws IOException {
        long at = position;
        while (into.hasRemaining()) {
            Map.Entry<Long, Piece> found = pieces.floorEntry(at);
            long within = found == null ? -1 : at - found.getKey();
            int part;
            if (found != null && within < found.getValue().length()) {
                part = (int) Math.min(into.remaining(), found.getValue().length() - within);
                ByteBuffer slice = into.slice(into.position(), part);
                file.read(found.getValue().at() + within, slice);
            } else {
                Long next = pieces.higherKey(at);
                if (next == null) {
                    throw new EOFException("the flattened file ends at position " + size + ", before " + at);
                }
                part = (int) Math.min(into.remaining(), next - at);
                for (int i = 0; i < part; i++) {
                    into.put(into.position() + i, (byte) 0);
                }
            }
            into.position(into.position() + part);
            at += part;
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
