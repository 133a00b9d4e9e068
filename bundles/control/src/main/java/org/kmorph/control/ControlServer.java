// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.daemon.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves one listening socket: one I/O thread for all clients, and a thread for each command. Commands never touch a channel
 * (an interrupt, which is how they are cancelled, would close it), and the I/O thread never waits for a command.
 */
final class ControlServer {
    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

    /** How long commands have to end after they were cancelled, before their clients are cut off. */
    static final Duration GOODBYE = Duration.ofSeconds(5);

    private static final Duration ACCEPT_PAUSE = Duration.ofSeconds(1);
    private static final Duration SUCCESSOR_LOOK = Duration.ofMillis(10);
    private static final long IDLE_THREAD_SECONDS = 10;

    private final SocketFile socket;
    private final Settings settings;
    private final Runners runners;
    private final PeerAuthority authority;
    private final Selector selector;
    private final SelectionKey acceptKey;
    private final ThreadPoolExecutor threads;
    private final Thread io;
    private final CountDownLatch listening = new CountDownLatch(1);
    private final Queue<SelectionKey> output = new ConcurrentLinkedQueue<>();
    private final Set<Call> calls = ConcurrentHashMap.newKeySet();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(Frame.HEADER + Frame.MAX_PAYLOAD);
    private Optional<Long> acceptAgainNanos = Optional.empty();
    private volatile int maxConnections;
    private volatile Optional<Drain> drain = Optional.empty();
    private volatile Optional<Long> successorUntilNanos = Optional.empty();

    /**
     * @param maxConnections clients, and commands that run on without one, at most
     * @param patience how long a client may take for its request, and for the rest of a frame that it has begun; and how long a
     *     successor may take to come
     */
    record Settings(int maxConnections, Duration patience) {}

    /** Establishes who is at the other end of a connection. Called on the thread of the command. */
    @FunctionalInterface
    interface PeerAuthority {
        Caller identify(SocketChannel channel) throws Refusal;
    }

    private ControlServer(SocketFile socket, Settings settings, Runners runners, PeerAuthority authority)
            throws IOException {
        this.socket = socket;
        this.settings = settings;
        this.maxConnections = settings.maxConnections();
        this.runners = runners;
        this.authority = authority;
        this.selector = Selector.open();
        ServerSocketChannel listener = socket.channel();
        listener.configureBlocking(false);
        this.acceptKey = listener.register(selector, SelectionKey.OP_ACCEPT);
        this.threads = new ThreadPoolExecutor(
                0,
                Integer.MAX_VALUE, // bounded by the connections: one command each, and one teller of window changes
                IDLE_THREAD_SECONDS,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                new DaemonThreads("kmorph-control-command"));
        this.io = new DaemonThreads("kmorph-control-io").newThread(this::loop);
    }

    /** Serves the socket from now on, and owns it. */
    static ControlServer start(SocketFile socket, Settings settings, Runners runners, PeerAuthority authority)
            throws IOException {
        ControlServer server = new ControlServer(socket, settings, runners, authority);
        server.io.start();
        return server;
    }

    /** Changes the limit for connections to come. */
    void maxConnections(int limit) {
        maxConnections = limit;
    }

    /**
     * Leaves the door to a successor. One that is there has the path already, and who is inside here may finish. Until one comes, for
     * the time of patience, clients are let in still, and told to ask it when it has come.
     *
     * @param atMost as for {@link #drain}
     */
    void handOver(Duration atMost) {
        if (isTakenOver()) {
            runners.keep();
            drain(atMost);
        } else {
            runners.close();
            successorUntilNanos =
                    Optional.of(System.nanoTime() + settings.patience().toNanos());
            drain = Optional.of(Drain.within(atMost, GOODBYE));
            selector.wakeup();
        }
    }

    /** Cancels what an engine runs. */
    void cutOff() {
        calls.forEach(Call::engineEnds);
    }

    private boolean isTakenOver() {
        try {
            return socket.isTakenOver();
        } catch (IOException e) {
            LOG.warn("the control socket {} cannot be looked at: {}", socket.path(), e.getMessage());
            return false;
        }
    }

    /**
     * Closes the door and returns; who is inside may finish. After the time given, what still runs is cancelled, and
     * {@link #GOODBYE} later cut off.
     */
    void drain(Duration atMost) {
        drain = Optional.of(Drain.within(atMost, GOODBYE));
        selector.wakeup();
        try {
            // so that the caller knows: from here on this server neither accepts nor touches the socket's file
            if (!listening.await(GOODBYE.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("the control socket did not close within {} s", GOODBYE.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits until all is finished. @return whether it was within the time */
    boolean awaitEnd(Duration atMost) throws InterruptedException {
        io.join(atMost.toMillis());
        return !io.isAlive();
    }

    private void loop() {
        try {
            boolean accepting = true;
            while (drain.isEmpty() || !drained()) {
                selector.select(timeoutMillis());
                long now = System.nanoTime();
                for (SelectionKey key : selector.selectedKeys()) {
                    serve(key, now);
                }
                selector.selectedKeys().clear();
                for (SelectionKey key = output.poll(); key != null; key = output.poll()) {
                    write(key);
                }
                acceptAgain(now);
                if (accepting && drain.isPresent() && !awaitsSuccessor(now)) {
                    accept(now);
                    stopListening();
                    accepting = false;
                }
                checkDeadlines(now);
            }
        } catch (IOException | RuntimeException e) {
            LOG.error("the control socket {} fails and is closed", socket.path(), e);
        } finally {
            stopListening();
            calls.forEach(c -> LOG.warn("command \"{}\" did not end in time; it is left behind", c.describe()));
            selector.keys().forEach(k -> connection(k).ifPresent(c -> drop(k, c)));
            threads.shutdown();
            closeSelector();
        }
    }

    /** Whether clients are let in still, for there is nobody else yet to do it. */
    private boolean awaitsSuccessor(long now) {
        if (successorUntilNanos.isEmpty()) {
            return false;
        }
        if (isTakenOver()) {
            runners.succeeded();
        } else if (now - successorUntilNanos.get() < 0) {
            return true;
        } else {
            LOG.warn(
                    "nobody took over the control socket {} within {} s",
                    socket.path(),
                    settings.patience().toSeconds());
        }
        successorUntilNanos = Optional.empty();
        return false;
    }

    private void serve(SelectionKey key, long now) {
        if (key == acceptKey) {
            if (key.isValid() && key.isAcceptable()) {
                accept(now);
            }
            return;
        }
        guarded(key, c -> (!key.isReadable() || c.read(buffer, now)) && (!key.isWritable() || c.write()));
    }

    private void write(SelectionKey key) {
        guarded(key, Connection::write);
    }

    /** @param step whether the connection lives on after it; one client's trouble is not another's */
    private void guarded(SelectionKey key, Predicate<Connection> step) {
        connection(key).ifPresent(c -> {
            try {
                if (!step.test(c)) {
                    drop(key, c);
                }
            } catch (RuntimeException | OutOfMemoryError e) {
                LOG.error("a client of the control socket is cut off", e);
                drop(key, c);
            }
        });
    }

    private void drop(SelectionKey key, Connection c) {
        key.attach(Optional.empty());
        c.close();
    }

    private void accept(long now) {
        try {
            for (SocketChannel client = socket.channel().accept();
                    client != null;
                    client = socket.channel().accept()) {
                admit(client, now);
            }
        } catch (IOException e) {
            // most likely out of descriptors; the backlog waits, trying again at once would only burn a CPU
            LOG.warn("the control socket cannot accept: {}", e.getMessage());
            acceptKey.interestOps(0);
            acceptAgainNanos = Optional.of(now + ACCEPT_PAUSE.toNanos());
        }
    }

    private void acceptAgain(long now) {
        if (acceptAgainNanos.filter(t -> now - t >= 0).isPresent() && acceptKey.isValid()) {
            acceptKey.interestOps(SelectionKey.OP_ACCEPT);
            acceptAgainNanos = Optional.empty();
        }
    }

    private void admit(SocketChannel client, long now) {
        try {
            greet(client, now);
        } catch (IOException e) {
            // it left as it came
            close(client);
        }
    }

    private static void close(SocketChannel client) {
        try {
            client.close();
        } catch (IOException e) {
            LOG.debug("closing a client's channel", e);
        }
    }

    private void greet(SocketChannel client, long now) throws IOException {
        client.configureBlocking(false);
        client.write(Frame.hello(socket.identity()).encode());
        int limit = maxConnections;
        if (connections() + orphans() >= limit) {
            String sentence = "the daemon serves " + limit + " clients already; try again when one has ended, or raise "
                    + "max.connections in etc/org.kmorph.control.cfg";
            client.write(Frame.error(ExitCode.DAEMON_UNREACHABLE, sentence).encode());
            client.close();
            return;
        }
        SelectionKey key = client.register(selector, SelectionKey.OP_READ);
        Outbox outbox = new Outbox(() -> {
            output.add(key);
            selector.wakeup();
        });
        Connection connection =
                new Connection(client, key, outbox, settings.patience(), r -> begin(r, client, outbox), now);
        key.attach(Optional.of(connection));
    }

    private Call begin(StartRequest request, SocketChannel client, Outbox outbox) {
        CallEnd end = new CallEnd();
        Call call = new Call(request, () -> authority.identify(client), runners, outbox, threads, end);
        end.call = Optional.of(call);
        calls.add(call);
        try {
            threads.execute(call);
        } catch (RuntimeException | OutOfMemoryError e) {
            calls.remove(call);
            throw e;
        }
        return call;
    }

    private final class CallEnd implements Runnable {
        private Optional<Call> call = Optional.empty();

        @Override
        public void run() {
            call.ifPresent(calls::remove);
            selector.wakeup();
        }
    }

    private static Optional<Connection> connection(SelectionKey key) {
        return key.attachment() instanceof Optional<?> o ? o.map(Connection.class::cast) : Optional.empty();
    }

    private long connections() {
        return selector.keys().stream().filter(k -> connection(k).isPresent()).count();
    }

    private long orphans() {
        return calls.stream().filter(Call::orphaned).count();
    }

    private void checkDeadlines(long now) {
        for (SelectionKey key : selector.keys()) {
            connection(key).filter(c -> !c.checkDeadline(now)).ifPresent(c -> drop(key, c));
        }
        if (drain.filter(d -> d.cancels(now)).isPresent()) {
            calls.forEach(Call::daemonEnds);
        }
    }

    private long timeoutMillis() {
        long now = System.nanoTime();
        long least = acceptAgainNanos
                .map(t -> Math.max(1, TimeUnit.NANOSECONDS.toMillis(t - now) + 1))
                .orElse(Long.MAX_VALUE);
        for (SelectionKey key : selector.keys()) {
            least = Math.min(
                    least,
                    connection(key).flatMap(c -> c.untilDeadlineMillis(now)).orElse(Long.MAX_VALUE));
        }
        if (successorUntilNanos.isPresent()) {
            least = Math.min(least, SUCCESSOR_LOOK.toMillis());
        }
        if (drain.isPresent()) {
            least = Math.min(least, drain.get().untilNextMillis(now));
        }
        return least == Long.MAX_VALUE ? 0 : least;
    }

    private boolean drained() {
        boolean idle = listening.getCount() == 0 && connections() == 0 && calls.isEmpty();
        return idle || drain.orElseThrow().cutsOff(System.nanoTime());
    }

    private void stopListening() {
        if (listening.getCount() > 0) {
            socket.close();
            listening.countDown();
        }
    }

    private void closeSelector() {
        try {
            selector.close();
        } catch (IOException e) {
            LOG.warn("closing the selector of the control socket", e);
        }
    }
}
