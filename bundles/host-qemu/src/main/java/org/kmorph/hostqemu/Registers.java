// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.api.host.HostException;

/**
 * The registers of a machine's processors, as notes NT_PRSTATUS. QEMU itself writes them: into a core file of a page of the machine's
 * memory. They are gone with QEMU, so {@link #keep} is called before its end.
 *
 * @param directory the instance's
 */
record Registers(Path directory) {
    /** What is kept of a machine that was fenced, in the instance's directory. */
    static final String KEPT = "registers";

    /** Of a machine that goes on: read, and removed again. */
    private static final String PASSING = "registers.now";

    /** A machine of 255 processors has 200 KiB of notes. */
    private static final int MOST_BYTES = 4 << 20;

    /** elf(5): e_phoff and e_phnum of a file header, the size of a program header, PT_NOTE. */
    private static final int E_PHOFF = 32;

    private static final int E_PHNUM = 56;
    private static final int PHDR_BYTES = 56;
    private static final int PT_NOTE = 4;

    /** p_offset and p_filesz of a program header. */
    private static final int P_OFFSET = 8;

    private static final int P_FILESZ = 32;

    /** linux/elf.h; struct elf_prstatus of x86-64 has 336 bytes. */
    private static final int NT_PRSTATUS = 1;

    private static final int PRSTATUS_BYTES = 336;
    private static final int NOTE_HEADER_BYTES = 12;

    /**
     * Stops the machine for good, and keeps its registers as they are then.
     *
     * @param patience for each of QEMU's two answers
     * @return whether they are kept; not when QEMU does not answer, or the disk is full
     */
    boolean keep(Monitor monitor, Duration patience) throws InterruptedException {
        if (!monitor.stop(patience) || !monitor.dumpRegisters(PASSING, patience)) {
            return false;
        }
        try {
            // whole, or not there: QEMU may die of its dump
            Files.move(directory.resolve(PASSING), directory.resolve(KEPT), StandardCopyOption.ATOMIC_MOVE);
            return true;
        } catch (IOException e) {
            // a full disk is no reason not to fence
            return false;
        }
    }

    /** Those that are kept, or none. */
    List<byte[]> kept() throws HostException {
        return Files.exists(directory.resolve(KEPT)) ? read(directory.resolve(KEPT)) : List.of();
    }

    /** Those of a machine that is there, which stands still for the few milliseconds that this takes; none when QEMU does not answer. */
    List<byte[]> now(Monitor monitor, Duration patience) throws HostException, InterruptedException {
        Path passing = directory.resolve(PASSING);
        try {
            return monitor.dumpRegisters(PASSING, patience) ? read(passing) : List.of();
        } finally {
            remove(passing);
        }
    }

    void remove() throws HostException {
        remove(directory.resolve(KEPT));
        remove(directory.resolve(PASSING));
    }

    private static void remove(Path file) throws HostException {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new HostException(file + " cannot be removed: " + e.getMessage(), e);
        }
    }

    private static List<byte[]> read(Path file) throws HostException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(MOST_BYTES, channel.size()))
                    .order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                // until it is full or the file is over
            }
            return notes(bytes.flip());
        } catch (IOException e) {
            throw new HostException("the registers in " + file + " cannot be read: " + e.getMessage(), e);
        } catch (IndexOutOfBoundsException | BufferUnderflowException | IllegalArgumentException e) {
            throw new HostException("the registers in " + file + " are not what QEMU writes: it is cut short", e);
        }
    }

    /** The notes NT_PRSTATUS of a 64-bit core file, in their order. */
    static List<byte[]> notes(ByteBuffer file) {
        ByteBuffer core = file.order(ByteOrder.LITTLE_ENDIAN);
        int headers = Math.toIntExact(core.getLong(E_PHOFF));
        List<byte[]> found = new ArrayList<>();
        for (int i = 0; i < Short.toUnsignedInt(core.getShort(E_PHNUM)); i++) {
            int header = headers + i * PHDR_BYTES;
            if (core.getInt(header) == PT_NOTE) {
                int at = Math.toIntExact(core.getLong(header + P_OFFSET));
                int length = Math.toIntExact(core.getLong(header + P_FILESZ));
                collect(core.slice(at, length).order(ByteOrder.LITTLE_ENDIAN), found);
            }
        }
        return found;
    }

    private static void collect(ByteBuffer notes, List<byte[]> found) {
        while (notes.remaining() >= NOTE_HEADER_BYTES) {
            int name = aligned(notes.getInt());
            int length = notes.getInt();
            int type = notes.getInt();
            notes.position(notes.position() + name);
            if (type == NT_PRSTATUS && length == PRSTATUS_BYTES) {
                byte[] status = new byte[length];
                notes.slice().get(status);
                found.add(status);
            }
            notes.position(notes.position() + aligned(length));
        }
    }

    private static int aligned(int length) {
        if (length < 0 || length > MOST_BYTES) {
            throw new IllegalArgumentException("a note of " + length + " bytes");
        }
        return length + 3 & ~3;
    }
}
