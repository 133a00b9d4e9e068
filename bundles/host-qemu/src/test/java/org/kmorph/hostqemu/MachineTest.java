// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.InstanceSpec;

class MachineTest {
    private static final long MEMORY = 256L << 20;

    private static Machine machine(boolean emulated) {
        return new Machine("/usr/bin/qemu", 2, MEMORY, "/cache/vmlinux", emulated, Optional.empty(), "console=ttyS0");
    }

    @Test
    void machineHasItsProcessorsMemoryLinkAndMonitors() {
        List<String> words = machine(true).words();
        assertThat(String.join(" ", words))
                .startsWith("/usr/bin/qemu -nodefaults")
                .contains("-smp 2 -m 256M")
                .contains("share=on,mem-path=memory,size=" + MEMORY)
                .contains("-device ivshmem-doorbell,vectors=2,chardev=link")
                .contains("-device pvpanic-pci", "panic=pause");
    }

    @Test
    void kvmIsUsedWhereItIs() {
        assertThat(String.join(" ", machine(false).words()))
                .contains("-accel kvm")
                .doesNotContain("tcg");
        assertThat(String.join(" ", machine(true).words()))
                .contains("-accel tcg")
                .doesNotContain("kvm");
    }

    @Test
    void workloadSurvivesTheKernelsAndTheAgentsSplitting() {
        assertThat(Machine.commandLine(
                        7, spec(Optional.of("quiet"), List.of("/bin/sh", "-c", "a b,\"%ü"), Optional.empty()), true))
                .isEqualTo("quiet kmorph.instance=7 kmorph.workload=/bin/sh,-c,a%20b%2c%22%25%c3%bc");
    }

    private static InstanceSpec spec(
            Optional<String> commandLine, List<String> workload, Optional<Integer> successorOf) {
        return spec(commandLine, workload, successorOf, Optional.empty());
    }

    private static InstanceSpec spec(
            Optional<String> commandLine,
            List<String> workload,
            Optional<Integer> successorOf,
            Optional<String> address) {
        return new InstanceSpec(
                "web",
                "qemu",
                Path.of("/boot/vmlinuz"),
                commandLine,
                Optional.empty(),
                true,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                workload,
                successorOf,
                address,
                Optional.empty());
    }

    @Test
    void standbyHoldsItsWorkloadBack() {
        assertThat(Machine.commandLine(9, spec(Optional.of("quiet"), List.of("/bin/true"), Optional.of(7)), true))
                .isEqualTo("quiet kmorph.instance=9 kmorph.hold=1 kmorph.workload=/bin/true");
    }

    @Test
    void oneAddressIsOneCardWhicheverKernelHasIt() throws HostException {
        Network network =
                Network.of(Optional.of("10.77.0.1/24"), "239.192.77.1:17700").orElseThrow();
        assertThat(network.words())
                .contains("virtio-net-pci,netdev=net,romfile=,mac=52:54:0a:4d:00:01")
                .contains("socket,id=net,mcast=239.192.77.1:17700,localaddr=127.0.0.1");
        assertThat(Machine.commandLine(
                        3, spec(Optional.of("quiet"), List.of(), Optional.empty(), Optional.of("10.77.0.1/24")), true))
                .isEqualTo("quiet kmorph.instance=3 kmorph.address=10.77.0.1/24");
        assertThat(Network.of(Optional.empty(), "")).isEmpty();
    }

    @Test
    void anAddressWithoutANetworkOrThatIsNoneIsRefused() {
        for (String group :
                List.of("", "10.77.0.1:17700", "239.192.77.256:17700", "239.192.77.1:65536", "239.192.77.1:0")) {
            assertThatThrownBy(() -> Network.of(Optional.of("10.77.0.1/24"), group))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("network in etc/org.kmorph.host-qemu.cfg is \"" + group + "\"");
        }
        for (String wrong :
                List.of("10.77.0.1", "10.77.0.1/33", "10.77.0.256/24", "10.77.0.1/24 init=/bin/sh", "::1/64")) {
            assertThatThrownBy(() -> Network.of(Optional.of(wrong), "239.192.77.1:17700"))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining(wrong.split(" ")[0].split("/")[0]);
        }
    }

    @Test
    void panicIsImmediateByDefaultAndHangStaysAHang() {
        assertThat(Machine.commandLine(1, spec(Optional.empty(), List.of(), Optional.empty()), false))
                .contains("oops=panic", "unknown_nmi_panic=1")
                .doesNotContain("softlockup_panic", "hung_task_panic")
                .endsWith(" kmorph.instance=1");
    }

    @Test
    void memoryAboveTwoGigabytesLiesAboveFour(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("memory");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(MEMORY);
            assertThat(Machine.memory(file)).containsExactly(new MemoryRange(0, MEMORY, file, 0));
            sparse.setLength(0xa000_0000L);
            assertThat(Machine.memory(file))
                    .containsExactly(
                            new MemoryRange(0, 0x8000_0000L, file, 0),
                            new MemoryRange(0x1_0000_0000L, 0x2000_0000L, file, 0x8000_0000L));
        }
    }
}
