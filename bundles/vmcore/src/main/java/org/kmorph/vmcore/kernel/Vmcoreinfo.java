// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.kmorph.vmcore.memory.CachedMemory;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.MissingMemoryException;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** What a kernel leaves about itself for dump tools (the kernel's Documentation/admin-guide/kdump/vmcoreinfo.rst). Immutable. */
public final class Vmcoreinfo {
    private static final byte[] NAME = "VMCOREINFO\0\0OSRELEASE=".getBytes(StandardCharsets.US_ASCII);
    private static final int LONGEST = 1 << 16;
    /** Pages that are looked at, 32 GiB of them: a file of a few bytes may claim any number of zeros. */
    private static final long MOST_SCANNED = 1L << 23;

    private final byte[] text;
    private final Map<String, String> values = new HashMap<>();

    public Vmcoreinfo(byte[] text) {
        this.text = text.clone();
        for (String line : new String(text, StandardCharsets.UTF_8).split("\n")) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                values.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
    }

    /** Looks for the note at the start of every page of the first 32 GiB. */
    public static Optional<Vmcoreinfo> scan(PhysicalMemory memory) throws IOException {
        byte[] page = new byte[PhysicalMemory.PAGE];
        long left = MOST_SCANNED;
        for (Extent extent : memory.extents()) {
            for (long frame = extent.start() >>> 12; frame < extent.end() >>> 12 && left > 0; frame++, left--) {
                if (memory.page(frame, page)) {
                    Optional<Vmcoreinfo> found = at(page, frame << 12, memory);
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** The note, if one begins with this page. */
    public static Optional<Vmcoreinfo> at(byte[] page, long address, PhysicalMemory memory) throws IOException {
        if (page[0] != 11 || page[1] != 0 || page[2] != 0 || page[3] != 0) {
            return Optional.empty();
        }
        for (int i = 0; i < NAME.length; i++) {
            if (page[12 + i] != NAME[i]) {
                return Optional.empty();
            }
        }
        int length = (page[4] & 255) | (page[5] & 255) << 8 | (page[6] & 255) << 16 | (page[7] & 255) << 24;
        if (length <= 0 || length > LONGEST) {
            return Optional.empty();
        }
        byte[] text = new byte[length];
        try {
            new CachedMemory(memory).read(address + 24, text, 0, length);
        } catch (MissingMemoryException e) {
            return Optional.empty();
        }
        return Optional.of(new Vmcoreinfo(text));
    }

    /** As the kernel wrote it. */
    public byte[] text() {
        return text.clone();
    }

    public String release() {
        return values.getOrDefault("OSRELEASE", "");
    }

    public Optional<String> value(String key) {
        return Optional.ofNullable(values.get(key));
    }

    /** A number, decimal or hexadecimal, by its whole key: {@code NUMBER(phys_base)}. */
    public OptionalLong number(String key) {
        String value = values.get(key);
        if (value == null) {
            return OptionalLong.empty();
        }
        try {
            if (key.startsWith("SYMBOL(")) {
                return OptionalLong.of(Long.parseUnsignedLong(value, 16));
            }
            return OptionalLong.of(
                    value.startsWith("0x") ? Long.parseUnsignedLong(value.substring(2), 16) : Long.parseLong(value));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    /** A number that must be there. @throws UnknownKernelException when it is not */
    public long need(String key) throws UnknownKernelException {
        return number(key)
                .orElseThrow(() -> new UnknownKernelException("the kernel's VMCOREINFO has no number " + key));
    }
}
