// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.kmorph.api.transport.Transport;
import org.kmorph.kmpclient.Clients;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.morph.core.Mark;

/** An instance with the reference workload, a client that checks every answer, and daemons that morph it. */
final class Bed implements AutoCloseable {
    static final String NAME = "web";

    /** Longer than any morph here takes, and short enough to wait for. */
    static final Duration LEASE = Duration.ofMillis(500);

    static final long PATIENCE_SECONDS = 30;

    private final Path directory;
    private final Transport transport;
    private final ExecutorService workers = Executors.newCachedThreadPool();
    private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
    private final List<Clients> clients = new ArrayList<>();
    private final Process client;
    private final BufferedReader said;
    final LocalAgents agents;
    final MemoryJournal journal = new MemoryJournal();

    /** What the client has seen. */
    record Seen(long answers, long wrong, long lost, long closed, double waitMillis) {
        /** The same and what came after. */
        Seen and(Seen later) {
            return new Seen(
                    answers + later.answers,
                    wrong + later.wrong,
                    lost + later.lost,
                    closed + later.closed,
                    Math.max(waitMillis, later.waitMillis));
        }
    }

    /** @param options more of them for the workload */
    Bed(Path directory, Transport transport, String... options) throws IOException, InterruptedException {
        this.directory = Files.createDirectories(directory);
        this.transport = transport;
        agents = new LocalAgents(directory);
        int port = freePort();
        List<String> words = new ArrayList<>(
                List.of(LocalAgents.program("kmorph-kv"), "--listen=127.0.0.1:" + port, "--state=2", "--dirty=1000"));
        words.addAll(List.of(options));
        agents.first(NAME, words);
        client = new ProcessBuilder(
                        LocalAgents.program("kmorph-kv-client"),
                        "--connect=127.0.0.1:" + port,
                        "--connections=10",
                        "--rate=200")
                .redirectErrorStream(true)
                .start();
        said = client.inputReader(StandardCharsets.UTF_8);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** A morph as a fresh daemon begins it, or as its successor goes on with it. */
    MorphRun run(Plan plan, Faults faults) throws IOException {
        return run(plan, faults, false);
    }

    MorphRun run(Plan plan, Faults faults, boolean compress) throws IOException {
        Clients own = FaultyClient.real(transport);
        clients.add(own);
        KmpClient faulty = new FaultyClient(own, faults);
        return new MorphRun(
                plan,
                new Surroundings(
                        () -> agents.with(faults),
                        () -> journal.with(faults),
                        () -> faulty,
                        FaultyClient.TIME,
                        workers,
                        timers,
                        operation ->
                                new KeptFiles.Place(directory.resolve("kept").resolve(operation.toString())),
                        new Config(),
                        () -> () -> () -> {},
                        instance -> Duration.ofSeconds(10)),
                compress,
                status -> {},
                over -> {});
    }

    static Plan plan() {
        return plan(true);
    }

    /** @param direct whether state goes from agent to agent */
    static Plan plan(boolean direct) {
        return new Plan(
                UUID.randomUUID(),
                NAME,
                1,
                Optional.empty(),
                Path.of("new"),
                false,
                direct,
                Instant.now(),
                "6.1.0-test",
                Mark.BEGUN);
    }

    /** The next daemon, which knows what the journal says: goes on until all is over, and rolls back what is prepared. */
    void succeed(AtomicReference<MorphRun> run) throws Exception {
        run.get().abandon();
        Optional<Plan> left = journal.plan();
        if (left.isEmpty()) {
            return;
        }
        MorphRun next = run(left.get(), Faults.none());
        run.set(next);
        next.resume();
        next.atRest().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (next.status().prepared()) {
            next.rollBack("the operator's wish");
        }
        next.finished().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    void killAgent(int id, MorphRun run) {
        agents.agent(id).ifPresent(agent -> {
            agent.kill();
            CompletableFuture.runAsync(() -> run.kernelEnded(id, "killed by signal 9"));
        });
    }

    /** Since it was asked last. */
    Seen ask() throws IOException {
        client.getOutputStream().write('\n');
        client.getOutputStream().flush();
        return read();
    }

    Seen end() throws IOException {
        client.getOutputStream().close();
        return read();
    }

    private Seen read() throws IOException {
        String line = said.readLine();
        return new Seen(
                (long) number(line, "answers"),
                (long) number(line, "wrong"),
                (long) number(line, "lost"),
                (long) number(line, "closed"),
                number(line, "wait_us") / 1000);
    }

    private static double number(String line, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\":([0-9.]+)").matcher(line == null ? "" : line);
        if (!matcher.find()) {
            throw new AssertionError("the client said: " + line);
        }
        return Double.parseDouble(matcher.group(1));
    }

    @Override
    public void close() throws InterruptedException {
        timers.shutdownNow();
        workers.shutdownNow();
        client.destroyForcibly();
        agents.close();
        workers.awaitTermination(5, TimeUnit.SECONDS);
    }

    /** The defaults, but for a short lease and no window. */
    private static final class Config implements MorphConfig {
        @Override
        public int lease_millis() {
            return (int) LEASE.toMillis();
        }

        @Override
        public int prepared_expires_seconds() {
            return 60;
        }

        @Override
        public int refresh_millis() {
            return 100;
        }

        @Override
        public int provisional_seconds() {
            return 0;
        }

        @Override
        public int small_round_bytes() {
            return 1 << 20;
        }

        @Override
        public Class<? extends java.lang.annotation.Annotation> annotationType() {
            return MorphConfig.class;
        }
    }
}
