// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.Door;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Progress;
import org.kmorph.api.command.Role;

/** Somebody who calls {@code monitor}, with or without a terminal; what he sees is kept. */
final class WatchingCaller implements CommandContext, CallerTerminal {
    final List<Output> printed = new CopyOnWriteArrayList<>();
    final List<Boolean> modes = new CopyOnWriteArrayList<>();
    volatile int columns = 120;

    private final Map<String, String> options;
    private final boolean onTerminal;
    private final PipedOutputStream keys = new PipedOutputStream();
    private final InputStream in;
    private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(screen, true, StandardCharsets.UTF_8);
    private final List<Runnable> resizes = new ArrayList<>();

    WatchingCaller(boolean onTerminal, Map<String, String> options) throws IOException {
        this.onTerminal = onTerminal;
        this.options = options;
        this.in = new PipedInputStream(keys);
    }

    void type(String text) throws IOException {
        keys.write(text.getBytes(StandardCharsets.UTF_8));
        keys.flush();
    }

    synchronized void resize(int wide) {
        columns = wide;
        resizes.forEach(Runnable::run);
    }

    synchronized int listeners() {
        return resizes.size();
    }

    String seen() {
        return screen.toString(StandardCharsets.UTF_8);
    }

    @Override
    public String type() {
        return "xterm-256color";
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public int rows() {
        return 24;
    }

    @Override
    public boolean colour() {
        return false;
    }

    @Override
    public synchronized AutoCloseable onResize(Runnable listener) {
        resizes.add(listener);
        return () -> forget(listener);
    }

    private synchronized void forget(Runnable listener) {
        resizes.remove(listener);
    }

    @Override
    public void raw(boolean raw) {
        modes.add(raw);
    }

    @Override
    public Caller caller() {
        return new Caller("alice", Role.VIEWER, Door.SOCKET, "uid=1000");
    }

    @Override
    public InputStream in() {
        return in;
    }

    @Override
    public PrintStream out() {
        return out;
    }

    @Override
    public PrintStream err() {
        return out;
    }

    @Override
    public Optional<CallerTerminal> terminal() {
        return onTerminal ? Optional.of(this) : Optional.empty();
    }

    @Override
    public boolean errIsTerminal() {
        return onTerminal;
    }

    @Override
    public Path workingDirectory() {
        return Path.of("/");
    }

    @Override
    public void detach() {
        // nobody leaves
    }

    @Override
    public Optional<String> optionalText(String name) {
        return Optional.ofNullable(options.get(name));
    }

    @Override
    public String text(String name) {
        return options.get(name);
    }

    @Override
    public void print(Output output) {
        printed.add(output);
    }

    @Override
    public boolean flag(String name) {
        throw new IllegalArgumentException(name);
    }

    @Override
    public List<String> texts(String name) {
        throw new IllegalArgumentException(name);
    }

    @Override
    public Optional<Long> integer(String name) {
        throw new IllegalArgumentException(name);
    }

    @Override
    public Optional<Duration> duration(String name) {
        throw new IllegalArgumentException(name);
    }

    @Override
    public Optional<Instant> instant(String name) {
        throw new IllegalArgumentException(name);
    }

    @Override
    public Optional<Long> bytes(String name) {
        throw new IllegalArgumentException(name);
    }

    @Override
    public Optional<Path> path(String name) {
        throw new IllegalArgumentException(name);
    }

    @Override
    public List<Path> paths(String name) {
        throw new IllegalArgumentException(name);
    }

    @Override
    public Progress progress(String what) {
        throw new UnsupportedOperationException("nothing takes long");
    }
}
