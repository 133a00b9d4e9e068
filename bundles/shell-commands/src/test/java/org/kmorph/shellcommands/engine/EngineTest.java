// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;

class EngineTest {
    private final MemoryJournal journal = new MemoryJournal();
    private final Running running = new Running();
    private final Engine engine = new Engine(running);

    @BeforeEach
    void bindJournal() {
        engine.useJournal(journal);
    }

    /** What a command does when it runs. */
    @FunctionalInterface
    private interface Body {
        ExitCode run(CommandContext context) throws Exception;
    }

    private void add(CommandSpec.Builder spec, Body body) {
        CommandSpec built = spec.example(String.join(" ", "x"), "does it").build();
        engine.addCommand(new Command() {
            @Override
            public CommandSpec spec() {
                return built;
            }

            @Override
            public ExitCode run(CommandContext context) throws CommandException, InterruptedException {
                try {
                    return body.run(context);
                } catch (CommandException | InterruptedException | RuntimeException e) {
                    throw e;
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        });
    }

    private static CommandSpec.Builder changing(String... words) {
        return CommandSpec.named(words).changes(Role.OPERATOR);
    }

    @Test
    void whatChangesIsOnRecordBeforeItRunsAndAfter() {
        List<String> seen = new java.util.ArrayList<>();
        add(changing("break"), context -> {
            seen.addAll(journal.results());
            throw new CommandException(ExitCode.NO_SUCH_INSTANCE, "no instance");
        });
        TestSession session = new TestSession(Role.ADMIN);
        assertThat(engine.run(session, List.of("break"))).isEqualTo(ExitCode.NO_SUCH_INSTANCE);
        assertThat(seen).containsExactly("begun");
        assertThat(journal.results()).containsExactly("begun", "no_such_instance");
        assertThat(journal.entries.get(1).closes()).isTrue();
        assertThat(journal.entries.get(0).fields())
                .containsEntry("caller", "alice")
                .containsEntry("door", "socket")
                .containsEntry("words", "break");
        assertThat(session.complaints()).isEqualTo("kmorph: no instance\n");
    }

    @Test
    void whatCannotBeRecordedIsNotDone() {
        List<String> done = new java.util.ArrayList<>();
        add(changing("break"), context -> {
            done.add("break");
            return ExitCode.DONE;
        });
        add(changing("daemon", "stop"), context -> {
            done.add("stop");
            return ExitCode.DONE;
        });
        journal.full = true;
        TestSession session = new TestSession(Role.ADMIN);
        assertThat(engine.run(session, List.of("break"))).isEqualTo(ExitCode.FAILED);
        assertThat(session.complaints()).contains("the disk is full").contains("audit log");
        assertThat(engine.run(session, List.of("daemon", "stop"))).isEqualTo(ExitCode.DONE);
        assertThat(done).containsExactly("stop");
    }

    @Test
    void aTimeoutIsNotACancellation() {
        add(changing("wait").slow(), context -> {
            new CountDownLatch(1).await();
            return ExitCode.DONE;
        });
        TestSession session = new TestSession(Role.ADMIN);
        assertThat(engine.run(session, List.of("wait", "--timeout=20ms"))).isEqualTo(ExitCode.TIMED_OUT);
        Thread.currentThread().interrupt();
        assertThat(engine.run(session, List.of("wait"))).isEqualTo(ExitCode.FAILED);
        assertThat(session.complaints()).contains("given up at its --timeout").contains("wait was cancelled");
    }

    @Test
    void anUnexpectedFailureHasAReferenceIntoTheLog() {
        add(CommandSpec.named("boom").reads(Role.VIEWER), context -> {
            throw new IllegalStateException("broken");
        });
        TestSession session = new TestSession(Role.VIEWER);
        assertThat(engine.run(session, List.of("boom"))).isEqualTo(ExitCode.FAILED);
        assertThat(session.complaints()).contains("broken").containsPattern("under [0-9a-f]{8}\\)");
    }

    @Test
    void misspelledWordsGetSuggestions() {
        add(CommandSpec.named("bundle", "list").reads(Role.VIEWER), context -> ExitCode.DONE);
        add(CommandSpec.named("bundle", "update").reads(Role.VIEWER), context -> ExitCode.DONE);
        complains(List.of("bundel", "list"), text -> assertThat(text).contains("did you mean bundle list?"));
        complains(
                List.of("bundle"),
                text -> assertThat(text).contains("bundle list").contains("bundle update"));
        complains(List.of("xyzzy"), text -> assertThat(text).contains("unknown command \"xyzzy\""));
    }

    private void complains(List<String> words, Consumer<String> check) {
        TestSession session = new TestSession(Role.ADMIN);
        assertThat(engine.run(session, words)).isEqualTo(ExitCode.USAGE);
        check.accept(session.complaints());
    }

    @Test
    void theRoleIsLookedAtBeforeTheArguments() {
        add(CommandSpec.named("open").changes(Role.ADMIN), context -> ExitCode.DONE);
        TestSession session = new TestSession(Role.OPERATOR);
        assertThat(engine.run(session, List.of("open", "--nonsense"))).isEqualTo(ExitCode.DENIED);
        assertThat(session.complaints()).contains("needs the role admin").contains("has the role operator");
        assertThat(journal.results()).containsExactly("begun", "denied");
    }

    @Test
    void theNewerOfTwoCommandsOfOneNameCountsUntilItGoes() {
        add(CommandSpec.named("which").reads(Role.VIEWER), context -> ExitCode.DONE);
        add(CommandSpec.named("which").reads(Role.VIEWER), context -> ExitCode.TIMED_OUT);
        assertThat(engine.run(new TestSession(Role.VIEWER), List.of("which"))).isEqualTo(ExitCode.TIMED_OUT);
    }

    @Test
    void dataComesInTheFormatThatWasAskedFor() {
        add(CommandSpec.named("show").reads(Role.VIEWER).printsData(), context -> {
            context.print(Output.rows(
                    List.of(Column.text("name", "NAME"), Column.of("size_bytes", "SIZE", Column.Kind.BYTES)),
                    List.of(
                            java.util.Map.of("name", "web", "size_bytes", 1536L),
                            java.util.Map.of("name", "a\033[2Jb"))));
            return ExitCode.DONE;
        });
        assertThat(printed("show")).isEqualTo("NAME       SIZE\nweb     1.5 KiB\na?[2Jb        -\n");
        assertThat(printed("show", "-o", "json").replaceAll("\\s", ""))
                .isEqualTo("[{\"name\":\"web\",\"size_bytes\":1536},{\"name\":\"a\\u001B[2Jb\"}]");
        assertThat(printed("show", "--output=yaml")).startsWith("---\n- name: web\n  size_bytes: 1536\n");
        complains(List.of("show", "-o", "xml"), text -> assertThat(text).contains("expected table, json, yaml"));
    }

    private String printed(String... words) {
        TestSession session = new TestSession(Role.VIEWER);
        assertThat(engine.run(session, List.of(words))).as(session.complaints()).isEqualTo(ExitCode.DONE);
        return session.printed();
    }

    @Test
    void aGracefulStopWaitsForWhatRunsAndBeginsNothingMore() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        add(changing("work"), context -> {
            entered.countDown();
            end.await();
            return ExitCode.DONE;
        });
        add(CommandSpec.named("look").reads(Role.VIEWER), context -> ExitCode.DONE);
        CompletableFuture<ExitCode> work =
                CompletableFuture.supplyAsync(() -> engine.run(new TestSession(Role.ADMIN), List.of("work")));
        entered.await();
        CompletableFuture<List<String>> told = new CompletableFuture<>();
        Thread stop = stopping(told);
        assertThat(told.get()).containsExactly("work");
        TestSession late = new TestSession(Role.ADMIN);
        assertThat(engine.run(late, List.of("work"))).isEqualTo(ExitCode.FAILED);
        assertThat(late.complaints()).contains("the daemon stops");
        assertThat(printed("look")).isEmpty();
        assertThat(stop.isAlive()).isTrue();
        end.countDown();
        stop.join();
        assertThat(work.get()).isEqualTo(ExitCode.DONE);
    }

    @Test
    void aGracefulStopThatIsGivenUpLetsCommandsBeginAgain() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        add(changing("work"), context -> {
            entered.countDown();
            end.await();
            return ExitCode.DONE;
        });
        add(changing("more"), context -> ExitCode.DONE);
        CompletableFuture<ExitCode> work =
                CompletableFuture.supplyAsync(() -> engine.run(new TestSession(Role.ADMIN), List.of("work")));
        entered.await();
        CompletableFuture<List<String>> told = new CompletableFuture<>();
        Thread stop = stopping(told);
        told.get();
        stop.interrupt();
        stop.join();
        assertThat(engine.run(new TestSession(Role.ADMIN), List.of("more"))).isEqualTo(ExitCode.DONE);
        end.countDown();
        assertThat(work.get()).isEqualTo(ExitCode.DONE);
    }

    private Thread stopping(CompletableFuture<List<String>> told) {
        Thread stop = new Thread(() -> {
            try {
                running.closeAndAwait(told::complete);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        stop.start();
        return stop;
    }

    @Test
    void valuesAreOfTheirTypes() {
        add(
                CommandSpec.named("take")
                        .reads(Role.VIEWER)
                        .parameter("NAME", ValueType.TEXT, "a name")
                        .option("time", ValueType.DURATION, "TIME", "a time")
                        .option("size", ValueType.BYTES, "SIZE", "a size")
                        .option("on", ValueType.BOOLEAN, "true|false", "a switch", "false")
                        .option("file", ValueType.PATH, "PATH", "a file")
                        .repeatableOption("word", ValueType.TEXT, "WORD", "words")
                        .flag("force", "by force"),
                context -> {
                    context.out()
                            .print(context.text("NAME") + " " + context.duration("time") + " " + context.bytes("size")
                                    + " " + context.flag("on") + " " + context.path("file") + " "
                                    + context.texts("word") + " "
                                    + context.flag("force"));
                    return ExitCode.DONE;
                });
        assertThat(printed(
                        "take",
                        "web",
                        "--time=1.5m",
                        "--size",
                        "2K",
                        "--on",
                        "--file=../x",
                        "--word=a",
                        "--word",
                        "b c"))
                .isEqualTo("web Optional[PT1M30S] Optional[2048] true Optional[/home/x] [a, b c] false");
        assertThat(printed("take", "--force", "web"))
                .isEqualTo("web Optional.empty Optional.empty false Optional.empty [] true");
        complains(List.of("take"), text -> assertThat(text).contains("NAME"));
        complains(List.of("take", "a", "b"), text -> assertThat(text).contains("\"b\" is one word too many"));
        complains(List.of("take", "a", "--tim=1"), text -> assertThat(text).contains("did you mean --time?"));
        complains(
                List.of("take", "a", "--time=soon"),
                text -> assertThat(text).contains("--time is \"soon\"").contains("250ms"));
        complains(
                List.of("take", "a", "--size=-1"),
                text -> assertThat(text).contains("--size").contains("128M"));
    }

    @Test
    void completionOffersWhatTheCallerMayRun() {
        add(CommandSpec.named("bundle", "list").reads(Role.VIEWER).printsData(), context -> ExitCode.DONE);
        add(CommandSpec.named("bundle", "install").changes(Role.ADMIN), context -> ExitCode.DONE);
        assertThat(offered(Role.ADMIN, "bundle", "")).containsExactly("install", "list");
        assertThat(offered(Role.VIEWER, "bundle", "")).containsExactly("list");
        assertThat(offered(Role.VIEWER, "bu")).containsExactly("bundle");
        assertThat(offered(Role.VIEWER, "bundle", "list", "--o")).containsExactly("--output=");
        assertThat(offered(Role.VIEWER, "bundle", "list", "--output=j")).containsExactly("--output=json");
        assertThat(offered(Role.VIEWER, "bundle", "list", "-o", "y")).containsExactly("yaml");
    }

    private List<String> offered(Role role, String... words) {
        return engine.complete(new TestSession(role).caller(), List.of(words)).stream()
                .map(candidate -> candidate.value())
                .toList();
    }
}
