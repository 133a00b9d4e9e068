// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.kmorph.api.host.HostException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What runs a machine's instructions: KVM, or QEMU itself (TCG). A KVM that can be opened may still be unable to run a machine, as on a
 * machine that is itself one; so it is tried, with a machine that is not let go.
 *
 * @param wanted {@code auto}, {@code kvm} or {@code tcg}
 * @param device of KVM
 */
record Accelerator(String wanted, Path device) {
    static final Path KVM = Path.of("/dev/kvm");

    private static final Logger LOG = LoggerFactory.getLogger(Accelerator.class);

    private static final long PATIENCE_S = 10;

    /**
     * Whether QEMU is to emulate. Blocks for the tens of milliseconds that it takes to try.
     *
     * @param qemu its program
     * @throws HostException when KVM is demanded and does not work
     */
    boolean emulated(Path qemu) throws HostException, InterruptedException {
        Optional<String> defect =
                switch (wanted) {
                    case "tcg" -> Optional.of("it is not wanted");
                    case "auto", "kvm" -> defect(qemu);
                    default ->
                        throw new HostException("accel=" + wanted
                                + " in etc/org.kmorph.host-qemu.cfg is not known; auto, kvm or tcg was expected");
                };
        if (wanted.equals("kvm") && defect.isPresent()) {
            throw new HostException("accel=kvm in etc/org.kmorph.host-qemu.cfg, and KVM does not work: " + defect.get()
                    + "; with accel=auto the machine is emulated");
        }
        return defect.isPresent();
    }

    private Optional<String> defect(Path qemu) throws InterruptedException {
        if (Files.notExists(device)) {
            return Optional.of("there is no " + device);
        }
        try (FileChannel opened = FileChannel.open(device, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            opened.position();
        } catch (IOException e) {
            return Optional.of(device + " may not be opened");
        }
        Optional<String> defect = tried(qemu);
        defect.ifPresent(what -> LOG.warn("KVM is there and runs no machine, so that they are emulated: {}", what));
        return defect;
    }

    /** A machine that stands still from its first instruction on, and a monitor that ends it. */
    private static Optional<String> tried(Path qemu) throws InterruptedException {
        List<String> command = List.of(
                qemu.toString(),
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-machine",
                "q35",
                "-accel",
                "kvm",
                "-cpu",
                "max",
                "-S",
                "-monitor",
                "stdio");
        try {
            Path said = Files.createTempFile("kmorph-kvm", ".log");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile())
                        .start();
                process.getOutputStream().write("quit\n".getBytes(StandardCharsets.US_ASCII));
                process.getOutputStream().close();
                if (!process.waitFor(PATIENCE_S, TimeUnit.SECONDS)) {
                    process.destroyForcibly().waitFor();
                    return Optional.of("QEMU did not answer within " + PATIENCE_S + " s");
                }
                return process.exitValue() == 0 ? Optional.empty() : Optional.of(firstError(said));
            } finally {
                Files.delete(said);
            }
        } catch (IOException e) {
            // the pipe of a QEMU that died at once is the commonest
            return Optional.of("QEMU ended: " + e.getMessage());
        }
    }

    private static String firstError(Path said) throws IOException {
        try (Stream<String> lines = Files.lines(said, StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> line.contains("qemu"))
                    .findFirst()
                    .orElse("QEMU ended with an error, and said nothing");
        }
    }
}
