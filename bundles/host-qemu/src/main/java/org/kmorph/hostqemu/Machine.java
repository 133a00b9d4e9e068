// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.InstanceSpec;

/**
 * The machine that an instance runs on, as QEMU's command line. All paths are relative: QEMU runs in the instance's directory.
 *
 * @param qemu the program
 * @param cpus how many
 * @param memoryBytes how much, a multiple of 2 MiB
 * @param kernel absolute
 * @param emulated whether no KVM is there
 * @param network what card it has, if any
 * @param commandLine of the kernel
 */
record Machine(
        String qemu,
        int cpus,
        long memoryBytes,
        String kernel,
        boolean emulated,
        Optional<Network> network,
        String commandLine) {
    /** The machine's memory, in the instance's directory. */
    static final String MEMORY = "memory";

    static final String INITRAMFS = "initramfs";

    /** QMP for whoever watches, and for whoever commands: QEMU serves one client at each. */
    static final String EVENTS = "qmp-events.sock";

    static final String COMMANDS = "qmp.sock";

    /** Where the shim serves the link. */
    private static final String LINK = "link.sock";

    /** Memory below this lies at its own address; what is more, from 4 GiB on. */
    private static final long LOW_MEMORY = 0x8000_0000L;

    private static final long HIGH_MEMORY_AT = 0x1_0000_0000L;

    /**
     * A panic is a panic at once and not a slow death; an NMI from outside is one too, so that a hung kernel can be made to panic. The
     * last two save a second of boot. A hang stays a hang: whether it is one is judged by heartbeats, from outside. The kernel's own
     * watchdog would make it a panic (softlockup_panic), and of a machine that only stood still for a while as well.
     */
    static final String DEFAULT_COMMAND_LINE =
            "console=ttyS0 quiet panic=0 oops=panic unknown_nmi_panic=1 random.trust_cpu=on cryptomgr.notests";

    /** Where instructions are emulated, mitigations cost much and guard nothing. */
    private static final String WHEN_EMULATED = " mitigations=off tsc=reliable no_timer_check";

    List<String> words() {
        List<String> words = new ArrayList<>(List.of(qemu, "-nodefaults", "-no-user-config", "-display", "none"));
        // the maximum makes the split of memory the same for every size
        words.addAll(List.of("-machine", "q35,memory-backend=ram,max-ram-below-4g=2G,hpet=off"));
        words.addAll(emulated ? List.of("-accel", "tcg,tb-size=128") : List.of("-accel", "kvm"));
        words.addAll(List.of("-cpu", "max", "-smp", Integer.toString(cpus), "-m", (memoryBytes >> 20) + "M"));
        words.addAll(
                List.of("-object", "memory-backend-file,id=ram,share=on,mem-path=" + MEMORY + ",size=" + memoryBytes));
        words.addAll(List.of("-kernel", kernel, "-initrd", INITRAMFS, "-append", commandLine));
        words.addAll(List.of("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"));
        words.addAll(List.of("-qmp", "unix:" + EVENTS + ",server=on,wait=off"));
        words.addAll(List.of("-qmp", "unix:" + COMMANDS + ",server=on,wait=off"));
        words.addAll(List.of(
                "-chardev", "socket,id=link,path=" + LINK, "-device", "ivshmem-doorbell,vectors=2,chardev=link"));
        network.ifPresent(card -> words.addAll(card.words()));
        words.addAll(List.of("-device", "pvpanic-pci", "-action", "reboot=shutdown,shutdown=poweroff,panic=pause"));
        return words;
    }

    /** The kernel's command line: a person's or the default, and what the agent needs. */
    static String commandLine(int id, InstanceSpec spec, boolean emulated) {
        StringBuilder line = new StringBuilder(
                spec.kernelCommandLine().orElse(DEFAULT_COMMAND_LINE + (emulated ? WHEN_EMULATED : "")));
        line.append(" kmorph.instance=").append(id);
        if (spec.successorOf().isPresent()) {
            line.append(" kmorph.hold=1");
        }
        spec.address().ifPresent(address -> line.append(" kmorph.address=").append(address));
        if (!spec.workload().isEmpty()) {
            line.append(" kmorph.workload=");
            line.append(String.join(
                    ",", spec.workload().stream().map(Machine::escaped).toList()));
        }
        return line.toString();
    }

    /** The kernel splits at blanks and takes quotes away, the agent splits at commas. */
    private static String escaped(String word) {
        StringBuilder out = new StringBuilder();
        for (byte each : word.getBytes(StandardCharsets.UTF_8)) {
            if (each > ' ' && each < 0x7f && each != ',' && each != '%' && each != '"' && each != '\'') {
                out.append((char) each);
            } else {
                out.append(String.format("%%%02x", each));
            }
        }
        return out.toString();
    }

    /** Where a machine's memory lies in its file, which the machine's size is that of. */
    static List<MemoryRange> memory(Path file) throws IOException {
        long size = Files.size(file);
        long low = Math.min(size, LOW_MEMORY);
        MemoryRange first = new MemoryRange(0, low, file, 0);
        return size == low ? List.of(first) : List.of(first, new MemoryRange(HIGH_MEMORY_AT, size - low, file, low));
    }
}
