// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** kdump's compressed format, version 6 (docs/vmcore.md has the layout). */
final class KdumpWriter implements DumpWriter {
    private static final int PAGE = PhysicalMemory.PAGE;

    private final Subject subject;
    private final CaptureOptions options;
    private final FrameSet ram;
    private final FrameSet kept;
    private final int subBlocks;
    private final int bitmapBlocks;

    KdumpWriter(Subject subject, CaptureOptions options, FrameSet ram, FrameSet kept) {
        this.subject = subject;
        this.options = options;
        this.ram = ram;
        this.kept = kept;
        subBlocks = 1 + (subject.notesLength() + PAGE - 1) / PAGE;
        bitmapBlocks = (int) (((kept.limit() + 7) / 8 + PAGE - 1) / PAGE);
    }

    @Override
    public long memoryBytes() {
        return kept.count() * PAGE;
    }

    @Override
    public void write(Dictation to) throws IOException {
        to.put(0, header());
        to.put(PAGE, subHeader());
        to.pages(options.compression(), ram, kept, (1L + subBlocks) * PAGE);
        // the tasks that the notes name are looked for while pages are packed
        to.put(2L * PAGE, subject.notes());
    }

    private ByteBuffer header() {
        ByteBuffer head = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        head.put("KDUMP   ".getBytes(StandardCharsets.US_ASCII)).putInt(6);
        String[] names = {"Linux", "(none)", subject.info().release(), "#1", "x86_64", "(none)"};
        for (int i = 0; i < names.length; i++) {
            byte[] name = names[i].getBytes(StandardCharsets.UTF_8);
            head.put(12 + 65 * i, name, 0, Math.min(64, name.length));
        }
        head.putLong(408, Instant.now().getEpochSecond());
        head.putInt(424, options.compression().flag());
        // where the sub-header ends, at 432, is the program's to say
        head.putInt(428, PAGE).putInt(436, 2 * bitmapBlocks);
        head.putInt(440, (int) Math.min(kept.limit(), 0xffffffffL));
        head.putInt(444, (int) kept.count());
        head.putInt(460, Math.max(1, subject.processors()));
        return head.rewind();
    }

    private ByteBuffer subHeader() throws IOException {
        ByteBuffer sub = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        sub.putLong(0, subject.info().need("NUMBER(phys_base)"));
        sub.putInt(8, options.level());
        sub.putLong(32, 2L * PAGE + subject.infoAt());
        sub.putLong(40, subject.info().text().length);
        sub.putLong(48, 2L * PAGE).putLong(56, subject.notesLength());
        sub.putLong(96, kept.limit());
        return sub;
    }
}
