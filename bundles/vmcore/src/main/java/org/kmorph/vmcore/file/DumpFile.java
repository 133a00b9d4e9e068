// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.kmorph.vmcore.kernel.Vmcoreinfo;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** A file that holds a kernel's memory. One thread. */
public interface DumpFile extends PhysicalMemory, Closeable {
    /** What it is, for people: {@code ELF}, {@code kdump, zstd}. */
    String format();

    /** The kernel's own notes, when the file has them. */
    Optional<Vmcoreinfo> info();

    /** An NT_PRSTATUS for each processor; empty when the file has none. */
    List<ByteBuffer> registers();

    /** What is wrong with the file though some of it can be read. */
    List<String> damage();

    /** Opens an ELF core file or a kdump file, plain or flattened. @throws IOException when it is neither, or broken at its head */
    static DumpFile open(Path path) throws IOException {
        Source source = new Source.Plain(FileChannel.open(path, StandardOpenOption.READ));
        try {
            String magic = magic(source);
            if (magic.startsWith(Flattened.MAGIC)) {
                source = new Flattened(source);
                magic = magic(source);
            }
            if (magic.startsWith("\u007fELF")) {
                return new ElfFile(source);
            }
            if (magic.startsWith("KDUMP   ")) {
                return new KdumpFile(source);
            }
            throw new IOException(path + " is neither an ELF core file nor a kdump file");
        } catch (IOException e) {
            source.close();
            throw e;
        }
    }

    private static String magic(Source source) throws IOException {
        int length = (int) Math.min(16, source.size());
        return new String(source.bytes(0, length).array(), StandardCharsets.ISO_8859_1);
    }
}
