// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * A run of physical memory, and the file that holds it, for a survivor that sees the daemon's files.
 *
 * @param start its physical address
 * @param length in bytes
 * @param offset in the file, where {@code start} is
 * @param path of the file, absolute
 */
public record MemoryFile(long start, long length, long offset, String path) implements Item {
    static MemoryFile read(PayloadReader in) throws MalformedPayloadException {
        long start = in.u64();
        long length = in.u64();
        long offset = in.u64();
        String path = in.text(Limits.MAX_PATH_BYTES);
        if (path.isEmpty()) {
            throw in.malformed("a file without a path");
        }
        return new MemoryFile(start, length, offset, path);
    }

    @Override
    public int typeCode() {
        return 0x0024;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u64(start);
        out.u64(length);
        out.u64(offset);
        out.text(path, Limits.MAX_PATH_BYTES);
    }
}
