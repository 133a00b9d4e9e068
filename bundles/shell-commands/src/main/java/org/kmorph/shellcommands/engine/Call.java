// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.command.Argument;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Progress;
import org.kmorph.api.command.Session;

/** One call of a command: the session, and the values of its arguments. */
final class Call implements CommandContext {
    private final Session session;
    private final List<Argument> arguments;
    private final Map<String, List<String>> values;
    private final Printer printer;

    /** @param values as {@link ArgumentParser} made them: each is of its argument's type */
    Call(Session session, List<Argument> arguments, Map<String, List<String>> values) {
        this.session = session;
        this.arguments = arguments;
        this.values = values;
        this.printer = Printer.of(
                values.getOrDefault(Standard.OUTPUT, List.of("table")).get(0), session);
    }

    @Override
    public boolean flag(String name) {
        return optionalText(name).map(Values::bool).orElse(false);
    }

    @Override
    public String text(String name) {
        return optionalText(name).orElseThrow(() -> new IllegalArgumentException("argument " + name + " has no value"));
    }

    @Override
    public Optional<String> optionalText(String name) {
        return texts(name).stream().findFirst();
    }

    @Override
    public List<String> texts(String name) {
        if (arguments.stream().noneMatch(argument -> argument.name().equals(name))) {
            throw new IllegalArgumentException("argument " + name + " was not declared");
        }
        return List.copyOf(values.getOrDefault(name, List.of()));
    }

    @Override
    public Optional<Long> integer(String name) {
        return optionalText(name).map(Values::integer);
    }

    @Override
    public Optional<Duration> duration(String name) {
        return optionalText(name).map(Values::duration);
    }

    @Override
    public Optional<Instant> instant(String name) {
        return optionalText(name).map(text -> Values.instant(text, Instant.now()));
    }

    @Override
    public Optional<Long> bytes(String name) {
        return optionalText(name).map(Values::bytes);
    }

    @Override
    public Optional<Path> path(String name) {
        return paths(name).stream().findFirst();
    }

    @Override
    public List<Path> paths(String name) {
        return texts(name).stream()
                .map(text -> Values.path(session.workingDirectory(), text))
                .toList();
    }

    @Override
    public void print(Output output) {
        printer.print(output);
    }

    @Override
    public Progress progress(String what) {
        return session.errIsTerminal() ? new ProgressBar(session.err(), what) : new NoProgress();
    }

    @Override
    public Caller caller() {
        return session.caller();
    }

    @Override
    public InputStream in() {
        return session.in();
    }

    @Override
    public PrintStream out() {
        return session.out();
    }

    @Override
    public PrintStream err() {
        return session.err();
    }

    @Override
    public Optional<CallerTerminal> terminal() {
        return session.terminal();
    }

    @Override
    public boolean errIsTerminal() {
        return session.errIsTerminal();
    }

    @Override
    public Path workingDirectory() {
        return session.workingDirectory();
    }

    @Override
    public void detach() {
        session.detach();
    }

    /** Where nobody would see it. */
    private static final class NoProgress implements Progress {
        @Override
        public void update(long done, long total, String unit) {
            // nobody looks
        }

        @Override
        public void note(String text) {
            // nobody looks
        }

        @Override
        public void close() {
            // nothing was drawn
        }
    }
}
