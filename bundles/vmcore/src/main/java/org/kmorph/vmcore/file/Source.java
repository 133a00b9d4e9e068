// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** Bytes at positions. */
interface Source extends Closeable {
    long size() throws IOException;

    /** Fills the buffer. @throws EOFException when there is less */
    void read(long position, ByteBuffer into) throws IOException;

    /** Little-endian bytes; {@code length} is the caller's to bound. */
    default ByteBuffer bytes(long position, int length) throws IOException {
        if (position < 0 || length < 0 || position > size() - length) {
            throw new EOFException(
                    "the file ends at " + size() + " bytes, " + length + " bytes at " + position + " are missing");
        }
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        read(position, bytes);
        return bytes.rewind();
    }

    /** A plain file. */
    record Plain(FileChannel channel) implements Source {
        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public void read(long position, ByteBuffer into) throws IOException {
            long at = position;
            while (into.hasRemaining()) {
                int count = channel.read(into, at);
                if (count < 0) {
                    throw new EOFException("the file ends at " + channel.size() + " bytes, before " + at);
                }
                at += count;
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
