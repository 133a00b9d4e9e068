// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What a module says of itself in its section {@code .modinfo}: texts KEY=VALUE, each ended by a zero. ELF by elf(5), 64 bits. */
final class ModuleInfo {
    private static final int ELF_MAGIC = 0x464c457f;
    private static final int HEADER_BYTES = 64;
    private static final int SECTIONS_AT = 40;
    private static final int SECTION_BYTES = 64;
    private static final int COUNT_AT = 60;
    private static final int NAMES_AT = 62;
    private static final int OFFSET_IN_SECTION = 24;

    private ModuleInfo() {}

    /** The names of the modules that it needs. @param file for people */
    static List<String> dependencies(Path file, byte[] module) throws ImageException {
        try {
            ByteBuffer elf = ByteBuffer.wrap(module).order(ByteOrder.LITTLE_ENDIAN);
            if (elf.remaining() < HEADER_BYTES || elf.getInt(0) != ELF_MAGIC) {
                throw new ImageException("module " + file + " is no ELF file");
            }
            int sections = Math.toIntExact(elf.getLong(SECTIONS_AT));
            int names = offset(elf, sections + SECTION_BYTES * Short.toUnsignedInt(elf.getShort(NAMES_AT)));
            for (int i = 0; i < Short.toUnsignedInt(elf.getShort(COUNT_AT)); i++) {
                int section = sections + i * SECTION_BYTES;
                if (text(module, names + elf.getInt(section), module.length).equals(".modinfo")) {
                    int length = Math.toIntExact(elf.getLong(section + OFFSET_IN_SECTION + Long.BYTES));
                    return dependencies(module, offset(elf, section), length);
                }
            }
        } catch (IndexOutOfBoundsException | ArithmeticException e) {
            throw new ImageException("module " + file + " is broken: " + e.getMessage());
        }
        throw new ImageException("module " + file + " has no section .modinfo");
    }

    private static int offset(ByteBuffer elf, int section) {
        return Math.toIntExact(elf.getLong(section + OFFSET_IN_SECTION));
    }

    private static List<String> dependencies(byte[] module, int from, int length) {
        String all = new String(module, from, length, StandardCharsets.ISO_8859_1);
        return Stream.of(all.split("\0"))
                .filter(text -> text.startsWith("depends="))
                .flatMap(text -> Stream.of(text.substring("depends=".length()).split(",")))
                .filter(name -> !name.isEmpty())
                .toList();
    }

    private static String text(byte[] from, int at, int end) {
        int zero = at;
        while (zero < end && from[zero] != 0) {
            zero++;
        }
        return new String(from, at, zero - at, StandardCharsets.ISO_8859_1);
    }
}
