// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kmorph.shellcommands.Fakes.fake;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.instance.Instances;
import org.osgi.framework.BundleContext;

@Timeout(30)
class ConsoleCommandTest {
    private static final int ID = 3;

    @TempDir
    Path state;

    private final List<Instance> there = new CopyOnWriteArrayList<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private Path console;
    private ConsoleCommand command;

    @BeforeEach
    void instance() throws IOException {
        console = Files.createDirectories(state.resolve("instances/" + ID)).resolve("console.log");
        there.add(new Instance(
                ID,
                InstanceSpec.watched("web", "qemu", Path.of("/boot/vmlinuz"), List.of()),
                InstanceState.RUNNING,
                Instant.EPOCH,
                "",
                ID + 2,
                "6.12.0",
                Optional.empty(),
                List.of()));
        Instances instances = fake(Instances.class, (method, argument) -> switch (method) {
            case "list" -> List.copyOf(there);
            case "find" ->
                there.stream().filter(one -> one.name().equals(argument)).findFirst();
            default -> throw new UnsupportedOperationException(method);
        });
        command = new ConsoleCommand(
                instances,
                fake(
                        BundleContext.class,
                        (method, key) -> key.equals("kmorph.state") ? state.toString() : "/none/" + key));
    }

    private ExitCode run(String name, boolean follow) throws CommandException, InterruptedException {
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        return command.run(fake(CommandContext.class, (method, argument) -> switch (method) {
            case "text" -> name;
            case "flag" -> follow;
            case "out" -> stream;
            default -> throw new UnsupportedOperationException(method);
        }));
    }

    private FutureTask<ExitCode> follow() {
        FutureTask<ExitCode> task = new FutureTask<>(() -> run("web", true));
        new Thread(task).start();
        return task;
    }

    private void write(String text) throws IOException {
        Files.writeString(console, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private void awaitPrinted(String text) throws InterruptedException {
        while (!out.toString(StandardCharsets.UTF_8).equals(text)) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    @Test
    void whatIsKeptIsPrintedOnce() throws Exception {
        write("one\n".repeat(50_000));
        assertThat(run("web", false)).isEqualTo(ExitCode.DONE);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("one\n".repeat(50_000));
    }

    @Test
    void followingGoesOnUntilTheInstanceIsGoneAndShowsItsLastWords() throws Exception {
        write("booting\n");
        FutureTask<ExitCode> task = follow();
        awaitPrinted("booting\n");
        write("Kernel panic\n");
        awaitPrinted("booting\nKernel panic\n");
        assertThat(task.isDone()).isFalse();
        write("the end\n");
        there.clear();
        assertThat(task.get()).isEqualTo(ExitCode.DONE);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("booting\nKernel panic\nthe end\n");
    }

    @Test
    void followerOfOneInstanceDoesNotGoOnWithAnotherOfItsName() throws Exception {
        write("booting\n");
        FutureTask<ExitCode> task = follow();
        awaitPrinted("booting\n");
        Instance old = there.get(0);
        there.set(
                0,
                new Instance(
                        ID + 1,
                        old.spec(),
                        old.state(),
                        old.since(),
                        "",
                        old.contextId() + 1,
                        old.imageRelease(),
                        Optional.empty(),
                        List.of()));
        assertThat(task.get()).isEqualTo(ExitCode.DONE);
    }

    @Test
    void instanceWithoutALogAndNoInstanceAreToldApart() {
        assertThatThrownBy(() -> run("web", false)).hasMessage("\"web\" has no console log yet");
        assertThatThrownBy(() -> run("db", false))
                .isInstanceOfSatisfying(
                        CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.NO_SUCH_INSTANCE));
    }

    @Test
    void namesAreCompleted() {
        assertThat(command.complete("NAME", "w")).containsExactly("web");
        assertThat(command.complete("NAME", "d")).isEmpty();
    }
}
