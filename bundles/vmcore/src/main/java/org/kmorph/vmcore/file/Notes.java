// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.vmcore.kernel.Vmcoreinfo;

/**
 * ELF notes of a dump: VMCOREINFO and registers.
 *
 * @param registers an NT_PRSTATUS of 336 bytes for each processor
 */
record Notes(Optional<Vmcoreinfo> info, List<ByteBuffer> registers) {
    /** Longer than any file's notes; what lies beyond is not read. */
    static final int MOST = 1 << 23;

    private static final int NT_PRSTATUS = 1;
    private static final int PRSTATUS = 336;

    /** Reads notes up to the first whose length lies. */
    static Notes of(ByteBuffer bytes) {
        Optional<Vmcoreinfo> info = Optional.empty();
        List<ByteBuffer> registers = new ArrayList<>();
        long at = 0;
        while (at + 12 <= bytes.limit()) {
            long nameLength = bytes.getInt((int) at) & 0xffffffffL;
            long length = bytes.getInt((int) at + 4) & 0xffffffffL;
            int type = bytes.getInt((int) at + 8);
            long start = at + 12 + (nameLength + 3 & ~3L);
            if (start + length > bytes.limit()) {
                break;
            }
            byte[] content = new byte[(int) length];
            bytes.get((int) start, content);
            String name = name(bytes, (int) at + 12, (int) nameLength);
            if (name.equals("VMCOREINFO")) {
                info = Optional.of(new Vmcoreinfo(content));
            } else if (name.equals("CORE") && type == NT_PRSTATUS && length == PRSTATUS) {
                registers.add(ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN));
            }
            at = start + (length + 3 & ~3L);
        }
        return new Notes(info, registers);
    }

    private static String name(ByteBuffer bytes, int at, int length) {
        byte[] name = new byte[Math.min(length, 32)];
        bytes.get(at, name);
        return new String(name, StandardCharsets.ISO_8859_1).split("\0", 2)[0];
    }
}
