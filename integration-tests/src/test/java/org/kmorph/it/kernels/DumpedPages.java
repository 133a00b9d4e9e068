// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.BitSet;

/** Which page frames a kdump file holds, whoever wrote it: its second bitmap (docs/vmcore.md has the layout). */
final class DumpedPages {
    private static final int BLOCK = 4096;

    private DumpedPages() {}

    static BitSet of(Path kdump) throws IOException {
        try (FileChannel file = FileChannel.open(kdump)) {
            ByteBuffer head = read(file, 0, BLOCK);
            long blocks = head.getInt(436) / 2;
            long second = (1L + head.getInt(432) + blocks) * BLOCK;
            return BitSet.valueOf(read(file, second, (int) blocks * BLOCK));
        }
    }

    private static ByteBuffer read(FileChannel file, long at, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (file.read(bytes, at + bytes.position()) < 0) {
                throw new IOException("the file ends at " + file.size());
            }
        }
        return bytes.flip();
    }
}
