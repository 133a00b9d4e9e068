// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.health.Health;

@Timeout(30)
class ShowTest {
    private static final String ON_ALTERNATE_SCREEN = "\033[?1049h";
    private static final String OFF_ALTERNATE_SCREEN = "\033[?1049l";

    private final FakeFleet fleet = FakeFleet.of(50);
    private final Changes changes = new Changes(fleet::now);
    private final AtomicBoolean closing = new AtomicBoolean();
    private Thread thread;

    private FutureTask<ExitCode> start(WatchingCaller caller) {
        Show show = new Show(() -> fleet, () -> fleet, new MachineTime(), closing::get);
        Callable<ExitCode> call = () -> show.run(caller, changes);
        FutureTask<ExitCode> task = new FutureTask<>(call);
        thread = new Thread(task);
        thread.start();
        return task;
    }

    private static WatchingCaller onTerminal() throws IOException {
        return new WatchingCaller(true, Map.of("output", "table", "sort", "name"));
    }

    private static WatchingCaller onPipe(Map<String, String> options) throws IOException {
        return new WatchingCaller(false, options);
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            TimeUnit.MILLISECONDS.sleep(2);
        }
    }

    private void wasPutBack(WatchingCaller caller) {
        assertThat(caller.seen()).startsWith(ON_ALTERNATE_SCREEN).contains(OFF_ALTERNATE_SCREEN);
        assertThat(caller.seen().substring(caller.seen().indexOf(OFF_ALTERNATE_SCREEN)))
                .doesNotContain("node");
        assertThat(caller.modes).containsExactly(true, false);
        assertThat(caller.listeners()).isZero();
    }

    @Test
    void qLeavesAndPutsTheTerminalBack() throws Exception {
        WatchingCaller caller = onTerminal();
        FutureTask<ExitCode> task = start(caller);
        await(() -> caller.seen().contains("node-0000"));
        caller.type("q");
        assertThat(task.get()).isEqualTo(ExitCode.DONE);
        wasPutBack(caller);
    }

    @Test
    void whatIsTypedAfterQBelongsToTheNextReader() throws Exception {
        WatchingCaller caller = onTerminal();
        FutureTask<ExitCode> task = start(caller);
        caller.type("qls");
        assertThat(task.get()).isEqualTo(ExitCode.DONE);
        assertThat(caller.in().available()).isEqualTo(2);
    }

    @Test
    void controlCLeavesAndPutsTheTerminalBack() throws Exception {
        WatchingCaller caller = onTerminal();
        FutureTask<ExitCode> task = start(caller);
        await(() -> caller.seen().contains("node-0000"));
        caller.type("\003");
        assertThat(task.get()).isEqualTo(ExitCode.DONE);
        wasPutBack(caller);
    }

    @Test
    void aSignalLeavesAndPutsTheTerminalBack() throws Exception {
        WatchingCaller caller = onTerminal();
        FutureTask<ExitCode> task = start(caller);
        await(() -> caller.seen().contains("node-0000"));
        thread.interrupt();
        assertThat(task.get()).isEqualTo(ExitCode.DONE);
        wasPutBack(caller);
    }

    @Test
    void aResizedTerminalIsDrawnAnewInItsNewSize() throws Exception {
        WatchingCaller caller = onTerminal();
        caller.columns = 160;
        FutureTask<ExitCode> task = start(caller);
        await(() -> caller.seen().contains("x missed"));
        assertThat(caller.seen()).contains("KERNEL");
        assertThat(caller.seen()).doesNotContain("node-0020");
        int before = caller.seen().length();
        caller.resize(60);
        await(() -> caller.seen().substring(before).contains("page up"));
        caller.type("q");
        task.get();
        assertThat(caller.seen().substring(before)).contains("HEALTH ").doesNotContain("KERNEL");
    }

    @Test
    void aScreenThatDoesNotChangeIsNotSentAgain() throws Exception {
        WatchingCaller caller = onTerminal();
        FutureTask<ExitCode> task = start(caller);
        await(() -> caller.seen().contains("x missed"));
        int before = caller.seen().length();
        fleet.put(1, "node-0000", Health.HEALTHY, "GGGG", 0, 1);
        await(() -> caller.seen().contains("GGGG"));
        caller.type("q");
        task.get();
        assertThat(caller.seen().length() - before).isLessThan(300);
    }

    @Test
    void aReplacedBundleEndsIt() throws Exception {
        WatchingCaller caller = onTerminal();
        FutureTask<ExitCode> task = start(caller);
        await(() -> caller.seen().contains("node-0000"));
        closing.set(true);
        assertThatThrownBy(task::get)
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("being replaced; call `monitor` again");
        wasPutBack(caller);
    }

    @Test
    void overAPipeEachChangeIsALine() throws Exception {
        WatchingCaller caller = onPipe(Map.of("output", "table"));
        FutureTask<ExitCode> task = start(caller);
        await(() -> caller.seen().contains("node-0049  health  HEALTHY: answers"));
        fleet.put(7, "node-0006", Health.FAILED, "silent\nfor long", 0, 1);
        changes.health.changed(fleet.report("node-0006").orElseThrow(), Health.SUSPECT);
        await(() -> caller.seen()
                .endsWith("node-0006  health  SUSPECT -> FAILED: silent?for long" + System.lineSeparator()));
        assertThat(caller.seen().lines()).hasSize(51);
        thread.interrupt();
        assertThatThrownBy(task::get).hasCauseInstanceOf(InterruptedException.class);
        assertThat(caller.modes).isEmpty();
    }

    @Test
    void forProgramsEachChangeIsARecord() throws Exception {
        WatchingCaller caller = onPipe(Map.of("output", "json", "instance", "node-0003"));
        FutureTask<ExitCode> task = start(caller);
        changes.health.rebooted(fleet.report("node-0004").orElseThrow());
        changes.health.rebooted(fleet.report("node-0003").orElseThrow());
        await(() -> caller.printed.size() == 2);
        assertThat(caller.printed.get(1).rows().get(0))
                .containsEntry("instance", "node-0003")
                .containsEntry("kind", "reboot");
        changes.instances.gone(fleet.remove("node-0003"));
        assertThat(task.get()).isEqualTo(ExitCode.DONE);
    }

    @Test
    void aReaderThatIsTooSlowIsToldWhatItMissed() throws Exception {
        for (int i = 0; i < 10_003; i++) {
            changes.health.rebooted(fleet.report("node-0003").orElseThrow());
        }
        WatchingCaller caller = onPipe(Map.of("output", "table"));
        start(caller);
        await(() -> caller.seen().contains("3 changes are not shown"));
        thread.interrupt();
    }

    @Test
    void anUnknownInstanceIsAnErrorAtOnce() throws Exception {
        WatchingCaller caller = onPipe(Map.of("output", "table", "instance", "nobody"));
        assertThatThrownBy(start(caller)::get)
                .hasCauseInstanceOf(CommandException.class)
                .hasMessageContaining("no instance \"nobody\"");
    }
}
