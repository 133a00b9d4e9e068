// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.api.host.HostException;

class ResourcesTest {
    private final Resources resources = new Resources("sh");

    @Test
    void programIsFoundOnThePathOrByItsPath() throws HostException {
        assertThat(resources.qemu()).hasFileName("sh");
        assertThat(new Resources("/bin/sh").qemu()).isEqualTo(Path.of("/bin/sh"));
    }

    @Test
    void missingQemuIsAnErrorThatSaysWhatToInstall() {
        assertThatThrownBy(() -> new Resources("/nowhere/qemu").qemu())
                .hasMessageContaining("/nowhere/qemu")
                .hasMessageContaining("apt-get install qemu-system-x86");
    }

    @Test
    void memoryIsBoundedFromBelowAndAbove() throws HostException {
        assertThat(resources.memory(Optional.of((129L << 20) + 5))).isEqualTo(128L << 20);
        assertThatThrownBy(() -> resources.memory(Optional.of(64L << 20))).hasMessageContaining("at least 128 MiB");
        assertThatThrownBy(() -> resources.memory(Optional.of(1L << 50))).hasMessageContaining("MiB available");
    }

    @Test
    void memoryThatTheDiskCannotHoldIsRefused() {
        assertThatThrownBy(() -> resources.space(Path.of("/tmp"), Long.MAX_VALUE))
                .hasMessageContaining("are free");
    }
}
