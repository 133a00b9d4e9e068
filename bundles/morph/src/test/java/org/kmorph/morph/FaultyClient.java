// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.MorphNegotiate;
import org.kmorph.kmp.message.MorphValidate;
import org.kmorph.kmpclient.Clients;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;

/** The real client, each of whose requests has two moments: before it is sent, and before its answer is heard. */
final class FaultyClient implements KmpClient {
    static final TimeSource TIME = new TimeSource() {
        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public Instant now() {
            return Instant.now();
        }
    };

    private final KmpClient real;
    private final Faults faults;

    FaultyClient(KmpClient real, Faults faults) {
        this.real = real;
        this.faults = faults;
    }

    static Clients real(Transport transport) {
        return new Clients(
                TIME,
                () -> ThreadLocalRandom.current().nextLong(),
                Executors.newSingleThreadScheduledExecutor(),
                List.of(transport));
    }

    @Override
    public KmpSession open(Endpoint peer, long instanceId, Duration connectDeadline, SessionListener listener) {
        return new FaultySession(real.open(peer, instanceId, connectDeadline, listener), instanceId);
    }

    private final class FaultySession implements KmpSession {
        private final KmpSession session;
        private final long instance;

        private FaultySession(KmpSession session, long instance) {
            this.session = session;
            this.instance = instance;
        }

        private String name(Message request) {
            String what = request.type() + " to " + instance;
            if (request instanceof MorphCommit commit) {
                what = commit.phase() + " to " + instance;
            } else if (request instanceof MorphNegotiate negotiate) {
                what = negotiate.stage() + " to " + instance;
            } else if (request instanceof MorphValidate validate) {
                what = validate.scope() + " to " + instance;
            }
            return what;
        }

        @Override
        public <A extends Message> CompletableFuture<A> request(Message request, Class<A> answer, Duration deadline) {
            faults.moment("before " + name(request));
            return faults.moment("after " + name(request), session.request(request, answer, deadline));
        }

        @Override
        public <A extends Message> CompletableFuture<A> requestOnce(
                Message request, Class<A> answer, Duration deadline) {
            return session.requestOnce(request, answer, deadline);
        }

        @Override
        public Endpoint peer() {
            return session.peer();
        }

        @Override
        public boolean connected() {
            return session.connected();
        }

        @Override
        public boolean heartbeat(int wants) {
            return session.heartbeat(wants);
        }

        @Override
        public void reset(String why) {
            session.reset(why);
        }

        @Override
        public void close() {
            session.close();
        }
    }
}
