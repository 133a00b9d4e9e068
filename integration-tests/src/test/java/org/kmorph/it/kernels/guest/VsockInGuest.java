// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels.guest;

import java.io.File;
import java.lang.annotation.Annotation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Listener;
import org.kmorph.api.transport.Transport.Reach;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.internal.EpollPollers;
import org.kmorph.nativeos.internal.LibcDescriptorSockets;
import org.kmorph.nativeos.internal.LibcDescriptors;
import org.kmorph.nativeos.internal.LibcVsockSockets;
import org.kmorph.transportvsock.VsockTransport;

/** What transport-vsock does over AF_VSOCK: {@code loopback}, {@code nobody} or {@code host}; af_vsock.py calls it in a guest. */
public final class VsockInGuest {
    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final int QUEUE_BYTES = 512 << 10;
    private static final int ECHO_PORT = 5000;
    private static final int NOBODYS_PORT = 5999;
    private static final long NOBODYS_CID = 77;
    private static final int CONNECTIONS = 40;

    private static final LibcVsockSockets SOCKETS = new LibcVsockSockets();
    private static final LibcDescriptors DESCRIPTORS = new LibcDescriptors();

    private VsockInGuest() {}

    private static final class Settings implements VsockTransport.Config {
        @Override
        public int max_connections() {
            return 4 * CONNECTIONS;
        }

        @Override
        public int send_queue_bytes() {
            return QUEUE_BYTES;
        }

        @Override
        public boolean af_vsock() {
            return true;
        }

        @Override
        public Class<? extends Annotation> annotationType() {
            return VsockTransport.Config.class;
        }
    }

    /** Something to be shown. */
    private interface Check {
        /** @return what was seen */
        String run() throws Exception;
    }

    /** @param args which of the three */
    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "loopback" -> loopback();
            case "nobody" -> nobody();
            default -> host();
        }
        System.out.println("@end");
        System.exit(0);
    }

    private static void check(String name, Check check) {
        try {
            System.out.println("ok     " + name + ": " + check.run());
        } catch (Exception e) {
            System.out.println("FAILED " + name);
            e.printStackTrace(System.out);
        }
    }

    private static void expect(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("expected " + what);
        }
    }

    private static VsockTransport transport() throws ErrnoException {
        return new VsockTransport(
                new Settings(), new EpollPollers(), new LibcDescriptorSockets(), DESCRIPTORS, SOCKETS);
    }

    private static void stop(VsockTransport transport) throws Exception {
        var stop = VsockTransport.class.getDeclaredMethod("stop");
        stop.setAccessible(true);
        stop.invoke(transport);
    }

    private static Endpoint at(long cid, long port) {
        return new Endpoint("vsock", cid + ":" + port);
    }

    private static int descriptors() {
        return new File("/proc/self/fd").list().length;
    }

    private static void loopback() throws Exception {
        check("typed errors", VsockInGuest::typedErrors);
        // once, so that what stays for good is there
        stop(transport());
        int before = descriptors();
        VsockTransport transport = transport();
        Listener listener = transport.listen(at(1, ECHO_PORT), peer -> new Echo());
        check("bytes there and back", () -> thereAndBack(transport, at(1, ECHO_PORT), 4_000_000));
        check("many connections", () -> many(transport, at(1, ECHO_PORT)));
        check("refusal", () -> refusal(transport, 1));
        check("port that is taken", () -> {
            try (Listener second = transport.listen(at(1, ECHO_PORT), peer -> new Echo())) {
                throw new IllegalStateException("it listens: " + second);
            } catch (java.io.IOException e) {
                expect(e.getMessage().contains("EADDRINUSE"), "EADDRINUSE in " + e.getMessage());
                return e.getMessage();
            }
        });
        check("listener that is closed", () -> {
            listener.close();
            long end = System.nanoTime() + DEADLINE.toNanos();
            while (System.nanoTime() < end) {
                Sender late = new Sender(1);
                Connection made = transport.connect(at(1, ECHO_PORT), DEADLINE, late);
                try {
                    late.await();
                    made.close("it listens still");
                } catch (java.util.concurrent.ExecutionException e) {
                    return e.getMessage();
                }
            }
            throw new IllegalStateException("it takes connections still");
        });
        check("all is given back", () -> {
            Sender open = new Sender(0);
            transport.listen(at(1, ECHO_PORT), peer -> new Echo());
            transport.connect(at(1, ECHO_PORT), DEADLINE, open);
            stop(transport);
            String why = open.end();
            expect(descriptors() == before, before + " descriptors, not " + descriptors());
            return before + " descriptors before and after; the last connection: " + why;
        });
    }

    private static String typedErrors() throws ErrnoException {
        List<String> seen = new ArrayList<>();
        int fd = SOCKETS.open();
        int other = SOCKETS.open();
        try {
            seen.add(fails(Errno.EADDRNOTAVAIL, () -> SOCKETS.bind(fd, NOBODYS_CID, ECHO_PORT)));
            SOCKETS.bind(fd, 1, ECHO_PORT);
            expect(SOCKETS.address(fd).port() == ECHO_PORT, "the port that it is bound to");
            seen.add(fails(Errno.EADDRINUSE, () -> SOCKETS.bind(other, 1, ECHO_PORT)));
            seen.add(fails(Errno.EINVAL, () -> SOCKETS.accept(fd)));
            seen.add(fails(Errno.ENOTCONN, () -> SOCKETS.write(other, List.of(java.nio.ByteBuffer.allocateDirect(1)))));
            seen.add(fails(Errno.ENODEV, () -> SOCKETS.connect(other, NOBODYS_CID, ECHO_PORT)));
        } finally {
            DESCRIPTORS.close(fd);
            DESCRIPTORS.close(other);
        }
        seen.add(fails(Errno.EBADF, () -> SOCKETS.listen(fd, 1)));
        return String.join("; ", seen);
    }

    private interface Call {
        void run() throws ErrnoException;
    }

    private static String fails(Errno errno, Call call) {
        try {
            call.run();
        } catch (ErrnoException e) {
            expect(e.is(errno) && e.getMessage().contains(errno.name()), errno + ", not " + e.getMessage());
            return e.getMessage();
        }
        throw new IllegalStateException("expected " + errno);
    }

    private static String thereAndBack(VsockTransport transport, Endpoint peer, int bytes) throws Exception {
        long start = System.nanoTime();
        Sender sender = new Sender(bytes);
        Connection connection = transport.connect(peer, DEADLINE, sender);
        sender.await();
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        connection.close("done");
        sender.end();
        expect(sender.refusals() > 0, "a queue that is full at times");
        return bytes + " bytes in " + millis + " ms, the queue was full " + sender.refusals() + " times";
    }

    private static String many(VsockTransport transport, Endpoint peer) throws Exception {
        List<Sender> senders = new ArrayList<>();
        List<Connection> connections = new ArrayList<>();
        for (int i = 0; i < CONNECTIONS; i++) {
            Sender sender = new Sender(10_000);
            senders.add(sender);
            connections.add(transport.connect(peer, DEADLINE, sender));
        }
        for (int i = 0; i < CONNECTIONS; i++) {
            senders.get(i).await();
            connections.get(i).close("done");
            senders.get(i).end();
        }
        return CONNECTIONS + " at once";
    }

    /** Nobody listens: the connection is refused, and that says that the kernel lives. */
    private static String refusal(VsockTransport transport, long cid) throws Exception {
        Sender nobody = new Sender(1);
        transport.connect(at(cid, NOBODYS_PORT), DEADLINE, nobody);
        String why = nobody.end();
        expect(why.contains("ECONNRESET"), "ECONNRESET in " + why);
        Reach reach = transport.probe(at(cid, NOBODYS_PORT), DEADLINE).get(20, TimeUnit.SECONDS);
        expect(reach == Reach.ANSWERS, "a kernel that answers, not " + reach);
        return why + "; the kernel " + reach;
    }

    private static void nobody() throws Exception {
        VsockTransport transport = transport();
        check("local context id", () -> {
            OptionalLong cid = SOCKETS.localCid();
            expect(cid.equals(OptionalLong.of(2)), "2, not " + cid);
            return "2";
        });
        check("no session", () -> {
            long start = System.nanoTime();
            Sender sender = new Sender(1);
            transport.connect(at(3, ECHO_PORT), DEADLINE, sender);
            String why = sender.end();
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            expect(why.contains("ENODEV") && millis < 1000, "ENODEV at once, not " + why + " after " + millis + " ms");
            return why;
        });
        stop(transport);
    }

    private static void host() throws Exception {
        VsockTransport transport = transport();
        Endpoint echo = at(3, 6000);
        check("bytes to an instance and back", () -> thereAndBack(transport, echo, 3_000_000));
        check("many connections", () -> many(transport, echo));
        check("refusal by an instance", () -> refusal(transport, 3));
        transport.listen(at(2, 7000), peer -> {
            System.out.println("ok     a connection was taken: of " + peer);
            return new Echo();
        });
        Sender held = new Sender(1);
        transport.connect(echo, DEADLINE, held);
        held.await();
        System.out.println("@serving");
        check("the peer's end", () -> {
            String why = held.end();
            expect(why.contains("ECONNRESET"), "ECONNRESET in " + why);
            return why;
        });
        check("peer that is gone", () -> {
            Sender late = new Sender(1);
            transport.connect(echo, DEADLINE, late);
            String why = late.end();
            expect(why.contains("ENODEV"), "ENODEV in " + why);
            Reach reach = transport.probe(echo, DEADLINE).get(20, TimeUnit.SECONDS);
            expect(reach != Reach.ANSWERS, "no answer");
            return why + "; the kernel " + reach;
        });
        stop(transport);
    }
}
