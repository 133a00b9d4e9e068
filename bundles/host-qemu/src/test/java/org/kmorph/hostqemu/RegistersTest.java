// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.host.HostException;

class RegistersTest {
    private static final Duration PATIENCE = Duration.ofMillis(200);

    @TempDir
    Path directory;

    private final FakeMonitor qemu = new FakeMonitor();

    private Registers registers() {
        return new Registers(directory);
    }

    private Monitor monitor() {
        return new Monitor(qemu, directory);
    }

    /** A core file as QEMU's dump/dump.c writes it: for each processor a note CORE of its registers, then notes of QEMU's own. */
    private static byte[] core(int cpus) {
        int notes = cpus * (12 + 8 + 336) + 12 + 8 + 440;
        ByteBuffer file = ByteBuffer.allocate(64 + 2 * 56 + notes).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
        file.putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) 2);
        file.putInt(64, 1).putInt(64 + 56, 4);
        file.putLong(64 + 56 + 8, 64 + 2 * 56).putLong(64 + 56 + 32, notes);
        file.position(64 + 2 * 56);
        for (int cpu = 0; cpu < cpus; cpu++) {
            file.putInt(5).putInt(336).putInt(1).put("CORE\0\0\0\0".getBytes(US_ASCII));
            byte[] status = new byte[336];
            Arrays.fill(status, (byte) (cpu + 1));
            file.put(status);
        }
        file.putInt(5)
                .putInt(440)
                .putInt(0)
                .put("QEMU\0\0\0\0".getBytes(US_ASCII))
                .put(new byte[440]);
        return file.array();
    }

    private Map<String, Object> dump(Map<String, Object> arguments, byte[] content) {
        String file = String.valueOf(arguments.get("protocol")).substring("file:".length());
        try {
            Files.write(directory.resolve(file), content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Map.of();
    }

    @Test
    void oneNoteOfEachProcessorIsFoundInItsOrder() {
        assertThat(Registers.notes(ByteBuffer.wrap(core(3)))).hasSize(3).allSatisfy(note -> assertThat(note)
                .hasSize(336));
        assertThat(Registers.notes(ByteBuffer.wrap(core(3))))
                .extracting(note -> note[335])
                .containsExactly((byte) 1, (byte) 2, (byte) 3);
    }

    @Test
    void machineIsStoppedBeforeItsRegistersAreKept() throws Exception {
        qemu.answers("stop", none -> Map.of()).answers("dump-guest-memory", arguments -> dump(arguments, core(2)));
        assertThat(registers().keep(monitor(), PATIENCE)).isTrue();
        assertThat(qemu.commands()).containsExactly("stop", "dump-guest-memory");
        // a page is asked for, not the machine's memory
        assertThat(qemu.argumentsOf("dump-guest-memory")).containsEntry("length", 4096);
        assertThat(registers().kept()).hasSize(2);
    }

    @Test
    void qemuThatDoesNotStopTheMachineIsAskedNoFurther() throws Exception {
        assertThat(registers().keep(monitor(), PATIENCE)).isFalse();
        assertThat(qemu.commands()).containsExactly("stop");
        assertThat(registers().kept()).isEmpty();
    }

    @Test
    void qemuThatRefusesTheDumpKeepsNothing() throws Exception {
        qemu.answers("stop", none -> Map.of()).answers("dump-guest-memory", arguments -> {
            throw new IllegalStateException("there is a dump in process");
        });
        assertThat(registers().keep(monitor(), PATIENCE)).isFalse();
        assertThat(registers().kept()).isEmpty();
    }

    @Test
    void registersOfTheMomentLeaveNoFile() throws Exception {
        qemu.answers("dump-guest-memory", arguments -> dump(arguments, core(1)));
        assertThat(registers().now(monitor(), PATIENCE)).hasSize(1);
        assertThat(directory).isEmptyDirectory();
        assertThat(qemu.connections()).isZero();
    }

    @Test
    void fileThatIsCutShortIsAnErrorThatNamesIt() throws IOException {
        byte[] whole = core(2);
        for (int length : new int[] {0, 20, 100, 200, 64 + 2 * 56 + 30}) {
            Files.write(directory.resolve(Registers.KEPT), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> registers().kept())
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining(directory.resolve(Registers.KEPT).toString());
        }
    }

    @Test
    void noteOfImpossibleLengthIsRefused() throws IOException {
        byte[] core = core(1);
        ByteBuffer.wrap(core).order(ByteOrder.LITTLE_ENDIAN).putInt(64 + 2 * 56 + 4, -8);
        Files.write(directory.resolve(Registers.KEPT), core);
        assertThatThrownBy(() -> registers().kept()).isInstanceOf(HostException.class);
    }

    @Test
    void removingTwiceIsNoError() throws Exception {
        Files.write(directory.resolve(Registers.KEPT), core(1));
        registers().remove();
        registers().remove();
        assertThat(directory).isEmptyDirectory();
    }
}
