// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.Session;
import org.kmorph.api.command.Shell;

/** A few commands and a shell that show what a door gives them. */
final class TestEngine implements CommandRunner, Shell {
    /** What happened to commands that the client does not hear of any more. */
    final List<String> events = new CopyOnWriteArrayList<>();

    final CountDownLatch finish = new CountDownLatch(1);

    Engine engine() {
        ServiceSlot<CommandRunner> runner = new ServiceSlot<>();
        runner.set(this);
        ServiceSlot<Shell> shell = new ServiceSlot<>();
        shell.set(this);
        return new Engine(runner, shell);
    }

    @Override
    public ExitCode run(Session session, List<String> words) {
        try {
            return switch (words.get(0)) {
                case "list" -> {
                    session.out().println("web RUNNING");
                    session.err().println("1 instance");
                    yield ExitCode.DONE;
                }
                case "words" -> {
                    words.forEach(word -> session.out().println("[" + word + "]"));
                    yield ExitCode.DONE;
                }
                case "whoami" -> {
                    Caller caller = session.caller();
                    session.out()
                            .println(caller.name() + " " + caller.role() + " " + caller.door() + " " + caller.origin());
                    yield ExitCode.DONE;
                }
                case "status" -> ExitCode.NO_SUCH_INSTANCE;
                case "cat" -> {
                    session.in().transferTo(session.out());
                    yield ExitCode.DONE;
                }
                case "bundle" -> {
                    if (session.caller().role().mayActAs(Role.ADMIN)) {
                        yield ExitCode.DONE;
                    }
                    session.err().println("bundle install needs the role admin");
                    yield ExitCode.DENIED;
                }
                case "detach" -> {
                    session.detach();
                    yield hold(session);
                }
                case "hold" -> hold(session);
                default -> ExitCode.USAGE;
            };
        } catch (IOException e) {
            events.add(e.toString());
            return ExitCode.FAILED;
        }
    }

    private ExitCode hold(Session session) {
        session.out().println("holding");
        try {
            finish.await();
            events.add("finished");
            session.out().println("finished");
            return ExitCode.DONE;
        } catch (InterruptedException e) {
            events.add("cancelled");
            session.err().println("cancelled, nothing was changed");
            return ExitCode.FAILED;
        }
    }

    @Override
    public ExitCode interactive(Session session) {
        var terminal = session.terminal().orElseThrow();
        events.add("shell");
        session.out()
                .println("shell of " + session.caller().name() + " on " + terminal.type() + " " + terminal.columns()
                        + "x" + terminal.rows());
        AutoCloseable resize =
                terminal.onResize(() -> session.out().println("now " + terminal.columns() + "x" + terminal.rows()));
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(session.in(), UTF_8))) {
            for (String line = lines.readLine(); line != null && !line.equals("exit"); line = lines.readLine()) {
                if (line.equals("raw")) {
                    terminal.raw(true);
                    session.out().println("key?");
                    session.out().println("key " + session.in().read());
                    terminal.raw(false);
                } else {
                    session.out().println("<" + line + ">");
                }
            }
            resize.close();
            return ExitCode.DONE;
        } catch (Exception e) {
            events.add("shell ended: " + e.getClass().getSimpleName());
            return ExitCode.TIMED_OUT;
        }
    }

    @Override
    public ExitCode script(Session session, String name, String text) {
        session.out().println("script " + name + ": " + text.strip());
        return text.startsWith("fail") ? ExitCode.ROLLED_BACK : ExitCode.DONE;
    }

    @Override
    public List<Candidate> complete(Caller caller, List<String> words) {
        return List.of();
    }

    @Override
    public SortedMap<String, CommandSpec> commands() {
        return Collections.emptySortedMap();
    }
}
