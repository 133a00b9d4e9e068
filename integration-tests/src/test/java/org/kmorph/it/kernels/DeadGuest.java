// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.kmorph.it.Kmorph;
import org.kmorph.it.LocalInstances;
import org.kmorph.it.Programs;
import org.kmorph.it.Result;

/**
 * A real kernel that has come into trouble, and what its memory was saved to.
 *
 * @param series of Debian's kernels
 * @param memory as {@code spawn --memory} takes it
 * @param trouble what {@code trouble.c} does
 */
record DeadGuest(Kmorph kmorph, String series, String memory, int cpus, String trouble, Path directory) {
    private static final Duration PATIENCE = Duration.ofSeconds(180);

    String name() {
        return "linux-" + series.replace('.', '-') + "-" + trouble;
    }

    @Override
    public String toString() {
        return series + ", " + memory + ", " + cpus + " processors, " + trouble;
    }

    /** Boots it; a few seconds later it comes into trouble. */
    void spawn(Path initramfs) {
        kmorph.ctl(
                        "spawn",
                        name(),
                        "--host=qemu",
                        "--kernel=" + DebianKernels.file(series, "vmlinuz"),
                        "--memory=" + memory,
                        "--cpus=" + cpus,
                        "--heartbeat-timeout=5s",
                        "--initramfs=" + initramfs,
                        "--workload=/trouble",
                        "--workload=" + trouble,
                        "--workload=2")
                .ok();
    }

    void awaitPanic() {
        awaitReason("its kernel panicked");
    }

    /** Waits until it is known why it is not well. */
    void awaitReason(String reason) {
        LocalInstances instances = new LocalInstances(kmorph);
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(
                        String.valueOf(instances.status(name()).get("health_reason")))
                .contains(reason));
    }

    void awaitHealth(String health) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(new LocalInstances(kmorph).status(name()))
                .containsEntry("health", health));
    }

    Path file(String suffix) {
        return directory.resolve(name() + "." + suffix);
    }

    Path vmlinux() {
        return DebianKernels.file(series, "vmlinux");
    }

    /** Captures. @return the file */
    Path capture(String suffix, String... options) {
        Path file = file(suffix);
        List<String> words = new ArrayList<>(List.of("vmcore", "capture", name(), "--output=" + file));
        words.addAll(List.of(options));
        kmorph.ctl(words.toArray(String[]::new)).ok();
        return file;
    }

    /** Has QEMU itself write its memory. @param format {@code elf} or {@code kdump-zlib} */
    Path dumpByQemu(String format) throws IOException {
        Path file = file("qemu-" + format);
        int id = (int) new LocalInstances(kmorph).status(name()).get("id");
        Path socket = new LocalInstances(kmorph).directory(id).resolve("qmp.sock");
        // the path may be too long for a socket's address, but not from where it lies
        Path shorter =
                Path.of("/proc/self/cwd").resolve(Path.of("").toAbsolutePath().relativize(socket));
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket.toString().length() < 100 ? socket : shorter));
            channel.write(ByteBuffer.wrap(
                    ("{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"dump-guest-memory\",\"id\":\"dump\","
                                    + "\"arguments\":{\"paging\":false,\"protocol\":\"file:" + file + "\",\"format\":\""
                                    + format
                                    + "\"}}\n")
                            .getBytes(US_ASCII)));
            BufferedReader answers =
                    new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), US_ASCII));
            String line = answers.readLine();
            while (line != null && !line.contains("\"id\": \"dump\"")) {
                line = answers.readLine();
            }
            assertThat(line).as("QEMU's answer").contains("return");
        }
        return file;
    }

    Map<String, Object> analyze(Path file) {
        return kmorph.ctl("vmcore", "analyze", file.toString(), "-o", "json")
                .ok()
                .json();
    }

    /** Runs one of Debian's tools where the files are. */
    Result run(String input, String... words) {
        return Programs.run(directory, Map.of(), input, List.of(words));
    }

    /** What crash says to commands. */
    String crash(String option, String commands) {
        return run(
                        commands,
                        "crash",
                        "-s",
                        option,
                        vmlinux().toString(),
                        file("kdump").toString())
                .ok()
                .out();
    }

    /** What a script of drgn prints. @param words its standard input */
    String drgn(String suffix, Path script, String... words) {
        return run(
                        String.join(" ", words),
                        "drgn",
                        "-q",
                        "-c",
                        file(suffix).toString(),
                        "-s",
                        vmlinux().toString(),
                        script.toString())
                .ok()
                .out();
    }

    /** What gdb says to commands, of the ELF file. */
    String gdb(String... commands) {
        List<String> words = new ArrayList<>(List.of("gdb", "-batch", "-nx"));
        for (String command : commands) {
            words.addAll(List.of("-ex", command));
        }
        words.addAll(List.of(vmlinux().toString(), file("elf").toString()));
        return run("", words.toArray(String[]::new)).ok().out();
    }

    /** The log as makedumpfile finds it in a file; lines that go on a record get its time, as we and dmesg(1) write them. */
    List<String> logByMakedumpfile(String suffix) throws IOException {
        Path log = file("log");
        run("", "makedumpfile", "-f", "--dump-dmesg", file(suffix).toString(), log.toString())
                .ok();
        List<String> lines = new ArrayList<>();
        String time = "";
        for (String line : Files.readAllLines(log)) {
            if (line.matches("\\[ *[0-9]+\\.[0-9]{6}] .*")) {
                time = line.substring(0, line.indexOf("] ") + 2);
                lines.add(line);
            } else {
                // as far in as the time is long
                lines.add(time + line.substring(Math.min(time.length(), line.length())));
            }
        }
        return lines;
    }

    /** The ids and names of all tasks but the idle ones, as drgn finds them and as we do. */
    Set<String> tasksByDrgn(String suffix) throws IOException {
        Path script = Files.writeString(
                directory.resolve("tasks.py"),
                """
                from drgn.helpers.linux.pid import for_each_task
                for task in for_each_task(prog):
                    print(task.pid.value_(), task.comm.string_().decode())
                """);
        return drgn(suffix, script).lines().collect(Collectors.toSet());
    }

    @SuppressWarnings("unchecked")
    Set<String> tasksByUs() {
        return ((List<Map<String, Object>>) analyze(file("kdump")).get("tasks"))
                .stream()
                        .filter(task -> !task.get("pid").equals(0))
                        .map(task -> task.get("pid") + " " + task.get("name"))
                        .collect(Collectors.toSet());
    }

    /** The pages that makedumpfile keeps at a level. */
    BitSet pagesByMakedumpfile(int level) throws IOException {
        Path theirs = file("theirs");
        run(
                        "",
                        "makedumpfile",
                        "-f",
                        "-l",
                        "-d",
                        Integer.toString(level),
                        file("elf").toString(),
                        theirs.toString())
                .ok();
        return DumpedPages.of(theirs);
    }
}
