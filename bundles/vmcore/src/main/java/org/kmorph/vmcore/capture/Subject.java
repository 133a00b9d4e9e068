// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.vmcore.analysis.Processors;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.kernel.Vmcoreinfo;
import org.kmorph.vmcore.memory.RangedMemory;

/** What is captured. Its symbols and types are read when they are asked for. One thread at a time. */
final class Subject {
    private static final int PRSTATUS = 336;
    private static final int PID_AT = 32;

    private final RangedMemory memory;
    private final Vmcoreinfo info;
    private final List<byte[]> registers;
    private final List<String> troubles = new ArrayList<>();
    private boolean looked;
    private DeadKernel kernel;

    /**
     * Looks for what the kernel left about itself.
     *
     * @param registers an NT_PRSTATUS for each processor; may be empty
     * @param threads that look at once
     * @throws IOException when it is no Linux kernel's memory that we know
     */
    Subject(RangedMemory memory, List<byte[]> registers, int threads) throws IOException, InterruptedException {
        this.memory = memory;
        this.registers = registers;
        info = VmcoreinfoScan.find(memory, threads)
                .orElseThrow(
                        () -> new IOException(
                                "no VMCOREINFO was found in the memory: no Linux kernel got far enough in it to be analysed; its console may tell more"));
    }

    RangedMemory memory() {
        return memory;
    }

    Vmcoreinfo info() {
        return info;
    }

    /** How many processors' registers there are. */
    int processors() {
        return registers.size();
    }

    /** What was not as it should be. */
    List<String> troubles() {
        return List.copyOf(troubles);
    }

    /** The kernel's symbols and types, if they can be read. */
    Optional<DeadKernel> kernel() {
        if (!looked) {
            looked = true;
            try {
                kernel = DeadKernel.read(memory, info);
            } catch (IOException e) {
                troubles.add(e.getMessage());
            }
        }
        return Optional.ofNullable(kernel);
    }

    private List<byte[]> namedRegisters() {
        if (registers.isEmpty() || kernel().isEmpty()) {
            return registers;
        }
        try {
            return withTasks(registers, Processors.tasks(kernel));
        } catch (IOException e) {
            troubles.add(e.getMessage());
            return registers;
        }
    }

    /** drgn takes a processor's registers only when they name the task on it. */
    private static List<byte[]> withTasks(List<byte[]> registers, List<Integer> tasks) {
        List<byte[]> named = new ArrayList<>();
        for (int i = 0; i < registers.size(); i++) {
            byte[] status = registers.get(i).clone();
            if (status.length == PRSTATUS && i < tasks.size()) {
                ByteBuffer.wrap(status).order(ByteOrder.LITTLE_ENDIAN).putInt(PID_AT, tasks.get(i));
            }
            named.add(status);
        }
        return named;
    }

    /** The ELF notes: registers, then VMCOREINFO. */
    ByteBuffer notes() {
        ByteBuffer notes = ByteBuffer.allocate(notesLength()).order(ByteOrder.LITTLE_ENDIAN);
        for (byte[] status : namedRegisters()) {
            note(notes, "CORE", 1, status);
        }
        note(notes, "VMCOREINFO", 0, info.text());
        return notes.flip();
    }

    int notesLength() {
        int length = 24 + padded(info.text().length);
        for (byte[] status : registers) {
            length += 20 + padded(status.length);
        }
        return length;
    }

    private static int padded(int length) {
        return length + 3 & ~3;
    }

    private static void note(ByteBuffer notes, String name, int type, byte[] content) {
        notes.putInt(name.length() + 1).putInt(content.length).putInt(type);
        notes.put(name.getBytes(StandardCharsets.US_ASCII)).put((byte) 0);
        pad(notes);
        notes.put(content);
        pad(notes);
    }

    private static void pad(ByteBuffer notes) {
        while ((notes.position() & 3) != 0) {
            notes.put((byte) 0);
        }
    }

    /** Where the text of VMCOREINFO begins in {@link #notes}. */
    int infoAt() {
        return notesLength() - padded(info.text().length);
    }
}
