// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class KernelModulesTest {
    @TempDir
    Path directory;

    /** The least of an ELF file, elf(5), that has a section .modinfo: a header, the section's text, names, and three sections. */
    private static byte[] module(String name, String depends) {
        byte[] info = ("name=" + name + "\0depends=" + depends + "\0").getBytes(StandardCharsets.US_ASCII);
        byte[] names = "\0.modinfo\0.shstrtab\0".getBytes(StandardCharsets.US_ASCII);
        int namesAt = 64 + info.length;
        int sections = namesAt + names.length;
        ByteBuffer elf = ByteBuffer.allocate(sections + 3 * 64).order(ByteOrder.LITTLE_ENDIAN);
        elf.putInt(0, 0x464c457f).putLong(40, sections).putShort(60, (short) 3).putShort(62, (short) 2);
        elf.put(64, info).put(namesAt, names);
        elf.putInt(sections + 64, 1).putLong(sections + 64 + 24, 64).putLong(sections + 64 + 32, info.length);
        elf.putInt(sections + 128, 10).putLong(sections + 128 + 24, namesAt).putLong(sections + 128 + 32, names.length);
        return elf.array();
    }

    private void put(String file, byte[] content) throws IOException {
        Path path = directory.resolve(file);
        Files.createDirectories(path.getParent());
        Files.write(path, content);
    }

    private List<String> loaded(String... names) throws Exception {
        return List.copyOf(new KernelModules(List.of(directory.resolve("first"), directory.resolve("second")))
                .load(List.of(names), name -> "no module " + name)
                .keySet());
    }

    @Test
    void eachComesOnceAfterAllThatItDependsOn() throws Exception {
        put("first/net/kerf-vsock.ko", module("kerf_vsock", "common,vsock"));
        put("second/common.ko", module("common", "vsock"));
        put("second/vsock.ko", module("vsock", ""));
        put("second/pvpanic-pci.ko", module("pvpanic_pci", ""));
        assertThat(loaded("kerf_vsock", "pvpanic-pci", "vsock"))
                .containsExactly("vsock", "common", "kerf_vsock", "pvpanic_pci");
    }

    @Test
    void firstDirectoryThatHasItCounts() throws Exception {
        put("first/vsock.ko", module("vsock", ""));
        put("second/vsock.ko", module("vsock", "missing"));
        assertThat(loaded("vsock")).containsExactly("vsock");
    }

    @Test
    void packedOnesAreUnpacked() throws Exception {
        byte[] plain = module("vsock", "common");
        Path xz = directory.resolve("first/vsock.ko.xz");
        Files.createDirectories(xz.getParent());
        try (OutputStream out = new XZOutputStream(Files.newOutputStream(xz), new LZMA2Options())) {
            out.write(plain);
        }
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(directory.resolve("first/common.ko.gz")))) {
            out.write(module("common", ""));
        }
        assertThat(new KernelModules(List.of(directory.resolve("first")))
                        .load(List.of("vsock"), name -> "no module " + name)
                        .get("vsock"))
                .isEqualTo(plain);
        assertThat(loaded("vsock")).containsExactly("common", "vsock");
    }

    @Test
    void builtInOnesNeedNoFile() throws Exception {
        put("first/modules.builtin", "kernel/net/vmw_vsock/vsock.ko\n".getBytes(StandardCharsets.US_ASCII));
        put("first/kerf-vsock.ko", module("kerf_vsock", "vsock"));
        assertThat(loaded("kerf_vsock")).containsExactly("kerf_vsock");
    }

    @Test
    void missingOneIsSaidInTheCallersWords() throws IOException {
        put("first/kerf-vsock.ko", module("kerf_vsock", "vsock"));
        assertThatThrownBy(() -> loaded("kerf_vsock"))
                .isInstanceOf(ImageException.class)
                .hasMessage("no module vsock");
    }

    @Test
    void circleIsAnErrorAndNoEndlessSearch() throws IOException {
        put("first/a.ko", module("a", "b"));
        put("first/b.ko", module("b", "a"));
        assertThatThrownBy(() -> loaded("a")).hasMessageContaining("depends on itself");
    }

    @Test
    void brokenOneIsNamed() throws IOException {
        put("first/text.ko", "not a module".getBytes(StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> loaded("text")).hasMessageContaining("text.ko is no ELF file");
        byte[] module = module("short", "");
        put("first/short.ko", Arrays.copyOf(module, module.length - 100));
        assertThatThrownBy(() -> loaded("short")).hasMessageContaining("short.ko is broken");
        ByteBuffer.wrap(module).order(ByteOrder.LITTLE_ENDIAN).putShort(60, (short) 0);
        put("first/bare.ko", module);
        assertThatThrownBy(() -> loaded("bare")).hasMessageContaining("bare.ko has no section .modinfo");
    }
}
