// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.time.TimeSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs every program of {@code etc/hooks.d} with every event, in the order of their names, one at a time. */
final class Hooks implements Outlet {
    static final String NAME = "hooks";

    private static final Logger LOG = LoggerFactory.getLogger(Hooks.class);

    private final Path directory;
    private final Path scratch;
    private final Duration atMost;
    private final TimeSource time;
    private final Tally tally = new Tally(NAME);
    private final BlockingQueue<Event> waiting;
    private final Thread runner;

    /**
     * Makes them and begins.
     *
     * @param directory of the programs; need not exist
     * @param scratch a directory to write events to
     * @param atMost how long a program may take with one event
     * @param mostWaiting more events than this do not wait but are dropped
     */
    Hooks(Path directory, Path scratch, Duration atMost, int mostWaiting, TimeSource time) {
        this.directory = directory;
        this.scratch = scratch;
        this.atMost = atMost;
        this.time = time;
        waiting = new LinkedBlockingQueue<>(mostWaiting);
        runner = new DaemonThreads("kmorph-notify-hooks").newThread(this::run);
        runner.start();
    }

    @Override
    public void take(Event event) {
        if (!waiting.offer(event)) {
            String why = waiting.size() + " events wait for the programs of " + directory + "; one was dropped";
            LOG.error("{}", why);
            tally.dropped(1, why);
        }
    }

    private void run() {
        try {
            for (Event event = waiting.take(); event != Event.END; event = waiting.take()) {
                run(event);
            }
        } catch (InterruptedException e) {
            LOG.debug("stopped");
        }
    }

    private void run(Event event) throws InterruptedException {
        Path input = scratch.resolve("hook-input.json");
        try {
            List<Path> programs = programs();
            if (programs.isEmpty()) {
                return;
            }
            Files.write(input, event.json());
            for (Path program : programs) {
                run(new HookProgram(program), event, input);
            }
            Files.delete(input);
        } catch (IOException e) {
            LOG.error("the programs of {} are not told of {}: {}", directory, event, e.getMessage());
            tally.failed(e.toString());
        }
    }

    private void run(HookProgram program, Event event, Path input) throws InterruptedException {
        Optional<String> problem = program.unfit();
        if (problem.isEmpty()) {
            problem = program.run(event, input, atMost);
        }
        if (problem.isPresent()) {
            LOG.error("hook: {}", problem.get());
            tally.failed(problem.get());
        } else {
            tally.delivered(time.now());
        }
    }

    /** The executable files, by name; those whose names begin with a dot or end with a tilde are no programs. */
    private List<Path> programs() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(Hooks::isProgram).sorted().toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    private static boolean isProgram(Path file) {
        String name = file.getFileName().toString();
        return !name.startsWith(".") && !name.endsWith("~") && Files.isRegularFile(file) && Files.isExecutable(file);
    }

    @Override
    public Status status() {
        return tally.status(waiting.size());
    }

    /** Lets the program that runs finish. */
    @Override
    public void close() {
        List<Event> dropped = new ArrayList<>();
        waiting.drainTo(dropped);
        if (!dropped.isEmpty()) {
            LOG.warn("{} events that waited for the programs of {} are dropped", dropped.size(), directory);
        }
        waiting.add(Event.END);
        try {
            runner.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
