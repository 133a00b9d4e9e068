// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.host.HostException;

class AcceleratorTest {
    @TempDir
    Path directory;

    /** A program in QEMU's place, and a file in the device's. */
    private Path qemu(String script) throws IOException {
        Path program = Files.writeString(directory.resolve("qemu"), "#!/bin/sh\n" + script + "\n");
        return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    }

    private Path device() throws IOException {
        return Files.writeString(directory.resolve("kvm"), "");
    }

    @Test
    void kvmThatRunsAMachineIsUsed() throws Exception {
        Path works = qemu("read command; test \"$command\" = quit");
        assertThat(new Accelerator("auto", device()).emulated(works)).isFalse();
        assertThat(new Accelerator("kvm", device()).emulated(works)).isFalse();
        assertThat(new Accelerator("tcg", device()).emulated(works)).isTrue();
    }

    @Test
    void machineIsEmulatedWhereThereIsNoKvm() throws Exception {
        Path never = qemu("touch '" + directory.resolve("asked") + "'");
        assertThat(new Accelerator("auto", directory.resolve("nothing")).emulated(never))
                .isTrue();
        assertThat(directory.resolve("asked")).doesNotExist();
    }

    @Test
    void machineIsEmulatedWhereKvmOpensAndRunsNothing() throws Exception {
        Path broken = qemu("read command; echo 'qemu: error: failed to set MSR 0x10a to 0x69' >&2; kill -ABRT $$");
        assertThat(new Accelerator("auto", device()).emulated(broken)).isTrue();
        assertThatThrownBy(() -> new Accelerator("kvm", device()).emulated(broken))
                .isInstanceOf(HostException.class)
                .hasMessageContaining("failed to set MSR")
                .hasMessageContaining("accel=auto");
    }

    @Test
    void whatIsNotKnownIsRefused() throws Exception {
        Path any = qemu("true");
        assertThatThrownBy(() -> new Accelerator("xen", device()).emulated(any))
                .hasMessageContaining("accel=xen")
                .hasMessageContaining("auto, kvm or tcg");
    }
}
