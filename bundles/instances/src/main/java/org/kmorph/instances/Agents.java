// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;

/** Finds out whether an agent listens: connects, and closes again. */
final class Agents {
    private static final Duration ONE_TRY = Duration.ofSeconds(2);

    private static final Duration BETWEEN_TRIES = Duration.ofMillis(20);

    private final Map<String, Transport> byScheme = new ConcurrentHashMap<>();
    private final TimeSource time;

    Agents(TimeSource time) {
        this.time = time;
    }

    void add(Transport transport) {
        byScheme.put(transport.scheme(), transport);
    }

    void remove(Transport transport) {
        byScheme.remove(transport.scheme(), transport);
    }

    /**
     * Waits until the agent at the endpoint listens.
     *
     * @param stillHoped asked between tries; there is no point in waiting for the agent of a kernel that has ended
     * @return whether it does, by the deadline
     */
    boolean awaitListening(Endpoint endpoint, long deadlineNanos, java.util.function.BooleanSupplier stillHoped)
            throws InterruptedException {
        while (time.nanos() < deadlineNanos && stillHoped.getAsBoolean()) {
            if (listens(endpoint)) {
                return true;
            }
            time.sleep(BETWEEN_TRIES);
        }
        return false;
    }

    private boolean listens(Endpoint endpoint) throws InterruptedException {
        Transport transport = byScheme.get(endpoint.scheme());
        if (transport == null) {
            return false;
        }
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        transport.connect(endpoint, ONE_TRY, new ConnectionHandler() {
            @Override
            public void opened(Connection connection) {
                answer.complete(true);
                connection.close("it listens");
            }

            @Override
            public void received(Connection connection, ByteBuffer bytes) {
                // nothing was asked
            }

            @Override
            public void writable(Connection connection) {
                // nothing is sent
            }

            @Override
            public void closed(Connection connection, String why) {
                answer.complete(false);
            }
        });
        try {
            return time.await(answer, ONE_TRY.multipliedBy(2));
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
    }
}
