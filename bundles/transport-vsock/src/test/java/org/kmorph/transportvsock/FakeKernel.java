// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.kmorph.transportvsock.ring.RingListener;
import org.kmorph.transportvsock.ring.RingSide;
import org.kmorph.transportvsock.stream.Header;
import org.kmorph.transportvsock.stream.Op;

/** The kernel's side of a link: side 1 of the ring on a thread of its own, with an echo at port 9000. */
final class FakeKernel implements RingListener, AutoCloseable {
    static final int ID = 7;
    static final long CID = ID + 2;
    static final long ECHO_PORT = 9000;

    private static final int BUFFER = 256 << 10;
    private static final long PATIENCE_S = 10;

    private final FakeKeeper keeper;
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final RingSide side;
    private final Thread thread = new Thread(this::run, "fake-kernel");
    private volatile boolean over;

    FakeKernel(FakeKeeper keeper) {
        this.keeper = keeper;
        side = new RingSide(keeper.memory(), 1, ID, vector -> keeper.ring(), new Random(1)::nextInt, this);
        thread.start();
    }

    private void run() {
        side.start(now());
        while (!over) {
            side.look(now());
            side.consume(64);
            for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                task.run();
            }
            side.publish();
            try {
                TimeUnit.MILLISECONDS.sleep(1);
            } catch (InterruptedException e) {
                return;
            }
        }
        side.stop();
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    /** Sends a frame without payload to a port of the host's. */
    void sends(Op op, long fromPort, long toPort) {
        tasks.add(() -> side.produce(
                new Header(CID, 2, fromPort, toPort, 0, Header.STREAM, op.number(), 0, BUFFER, 0),
                ByteBuffer.allocate(0)));
    }

    /** What was heard next: {@code up}, {@code down}, and frames as OP FROM TO. */
    String next() throws InterruptedException {
        String heard = told.poll(PATIENCE_S, TimeUnit.SECONDS);
        if (heard == null) {
            throw new AssertionError("nothing was heard within " + PATIENCE_S + " s");
        }
        return heard;
    }

    @Override
    public void up() {
        told.add("up");
    }

    @Override
    public void down(String why) {
        told.add("down");
    }

    @Override
    public void frame(Header header, ByteBuffer payload) {
        Op op = Op.of(header.op()).orElseThrow();
        told.add(op + " " + header.sourcePort() + " " + header.destinationPort());
        if (op == Op.REQUEST) {
            answer(header, header.destinationPort() == ECHO_PORT ? Op.RESPONSE : Op.RST, ByteBuffer.allocate(0));
        } else if (op == Op.RW) {
            answer(header, Op.RW, payload);
        } else if (op == Op.SHUTDOWN) {
            answer(header, Op.RST, ByteBuffer.allocate(0));
        }
    }

    private void answer(Header to, Op op, ByteBuffer payload) {
        side.produce(
                new Header(
                        to.destinationCid(),
                        to.sourceCid(),
                        to.destinationPort(),
                        to.sourcePort(),
                        payload.remaining(),
                        Header.STREAM,
                        op.number(),
                        0,
                        BUFFER,
                        0),
                payload);
    }

    @Override
    public void pong(int number) {
        told.add("pong");
    }

    @Override
    public void remark(String text) {
        told.add("remark " + text);
    }

    /** Goes, and says so. */
    @Override
    public void close() throws InterruptedException {
        over = true;
        thread.join();
    }
}
