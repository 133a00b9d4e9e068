// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import org.apache.felix.service.command.CommandProcessor;
import org.jline.reader.Candidate;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.Session;
import org.kmorph.api.command.Shell;
import org.kmorph.api.daemon.Directories;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The shell as a service. */
@Component
public final class ShellService implements Shell {
    /** What begins a new command within a line of Gogo. */
    private static final String STARTERS = "|;&{(\n";

    private static final String GOGO_WORDS = "org.apache.felix.gogo.jline";

    private static final Duration GOGO_PATIENCE = Duration.ofSeconds(10);

    private final BundleContext context;
    private final Path scripts;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile CommandRunner runner;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile CommandProcessor processor;

    @Activate
    public ShellService(BundleContext context) {
        this.context = context;
        scripts = Directories.of(context).etc().resolve("scripts");
    }

    /** What Gogo has besides its grammar (grep, each, if) costs time to start, and is started for the first shell that may want it. */
    private void startGogoWords() {
        for (Bundle bundle : context.getBundles()) {
            BundleStartLevel level = bundle.adapt(BundleStartLevel.class);
            if (GOGO_WORDS.equals(bundle.getSymbolicName()) && bundle.getState() != Bundle.ACTIVE) {
                level.setStartLevel(
                        context.getBundle().adapt(BundleStartLevel.class).getStartLevel());
                awaitActive(bundle);
            }
        }
    }

    private static void awaitActive(Bundle bundle) {
        long deadline = System.nanoTime() + GOGO_PATIENCE.toNanos();
        while (bundle.getState() != Bundle.ACTIVE && System.nanoTime() < deadline) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Override
    public ExitCode script(Session session, String name, String text) {
        try (Interpreter interpreter = interpreter(session)) {
            return interpreter.run(name, text);
        } catch (InterruptedException e) {
            session.err().println("kmorph: " + name + " was cancelled");
            return ExitCode.FAILED;
        }
    }

    private Interpreter interpreter(Session session) {
        if (!session.caller().role().mayActAs(Role.ADMIN)) {
            return new PlainInterpreter(runner, session);
        }
        startGogoWords();
        return new GogoInterpreter(processor, runner, session, scripts);
    }

    @Override
    public ExitCode interactive(Session session) {
        if (session.terminal().isEmpty()) {
            session.err().println("kmorph: the shell needs a terminal; give it --command=TEXT or a file instead");
            return ExitCode.USAGE;
        }
        CallerTerminal caller = session.terminal().get();
        try (ShellTerminal terminal = new ShellTerminal(session, caller);
                Interpreter interpreter = interpreter(terminal.inner())) {
            return loop(session, terminal, interpreter);
        } catch (IOException e) {
            session.err().println("kmorph: the terminal failed: " + e.getMessage());
            return ExitCode.FAILED;
        }
    }

    private ExitCode loop(Session session, ShellTerminal shell, Interpreter interpreter) {
        Terminal terminal = shell.terminal();
        LineReader reader = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("kmorph")
                .parser(new DefaultParser().eofOnUnclosedQuote(true))
                .completer((line, parsed, candidates) -> complete(session, parsed.line(), parsed.cursor(), candidates))
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .build();
        String prompt = "kmorph" + (session.caller().role() == Role.ADMIN ? "# " : "> ");
        ExitCode last = ExitCode.DONE;
        while (true) {
            String line;
            try {
                line = reader.readLine(prompt).strip();
            } catch (UserInterruptException e) {
                continue;
            } catch (EndOfFileException e) {
                return last;
            }
            if (line.equals("exit") || line.equals("logout")) {
                return last;
            }
            if (!line.isEmpty()) {
                last = runLine(terminal, interpreter, line);
            }
        }
    }

    private static ExitCode runLine(Terminal terminal, Interpreter interpreter, String line) {
        Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, signal -> interpreter.interrupt());
        try {
            return interpreter.run("shell", line);
        } catch (InterruptedException e) {
            return ExitCode.FAILED;
        } finally {
            terminal.handle(Terminal.Signal.INT, before);
            // An interrupt that came too late to cancel anything must not cancel the next line.
            Thread.interrupted();
        }
    }

    private void complete(Session session, String line, int cursor, List<Candidate> candidates) {
        String typed = line.substring(0, cursor);
        int start = 0;
        for (int i = 0; i < typed.length(); i++) {
            if (session.caller().role() == Role.ADMIN && STARTERS.indexOf(typed.charAt(i)) >= 0) {
                start = i + 1;
            }
        }
        List<String> words = new java.util.ArrayList<>(
                List.of(typed.substring(start).stripLeading().split("\\s+", -1)));
        for (CommandRunner.Candidate candidate : runner.complete(session.caller(), words)) {
            candidates.add(new Candidate(
                    candidate.value(),
                    candidate.value(),
                    null,
                    candidate.help().isEmpty() ? null : candidate.help().toLowerCase(Locale.ROOT),
                    null,
                    null,
                    candidate.complete()));
        }
    }
}
