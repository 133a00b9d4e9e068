// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.time.TimeSource;

/** One lock for each name that somebody holds or waits for, and none for others; who came first has it first. Thread-safe. */
final class NameLocks {
    /** Whose turn it is stands first; it is complete. */
    private final Map<String, Deque<CompletableFuture<Void>>> turns = new HashMap<>();

    private final TimeSource time;

    NameLocks(TimeSource time) {
        this.time = time;
    }

    /** Takes the lock of a name; empty when it was not free in time. */
    Optional<Held> take(String name, Duration patience) throws InterruptedException {
        CompletableFuture<Void> turn = enter(name);
        boolean taken = false;
        try {
            time.await(turn, patience);
            taken = true;
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new IllegalStateException("a turn comes, or does not", e);
        } finally {
            if (!taken) {
                leave(name, turn);
            }
        }
        return Optional.of(() -> leave(name, turn));
    }

    /** The same for an instance's, of which whoever waited in vain is told. */
    Held hold(String name, Duration patience) throws InstanceException, InterruptedException {
        return take(name, patience)
                .orElseThrow(() -> new InstanceException(
                        Reason.TIMED_OUT,
                        "instance \"" + name
                                + "\" is being changed by another command; try again when that has ended"));
    }

    private synchronized CompletableFuture<Void> enter(String name) {
        CompletableFuture<Void> turn = new CompletableFuture<>();
        Deque<CompletableFuture<Void>> queue = turns.computeIfAbsent(name, key -> new ArrayDeque<>());
        queue.addLast(turn);
        if (queue.peekFirst() == turn) {
            turn.complete(null);
        }
        return turn;
    }

    /** Leaves the queue, wherever in it; a turn that nobody took any more goes to the next. */
    private synchronized void leave(String name, CompletableFuture<Void> turn) {
        Deque<CompletableFuture<Void>> queue = turns.get(name);
        queue.remove(turn);
        if (queue.isEmpty()) {
            turns.remove(name);
        } else {
            queue.peekFirst().complete(null);
        }
    }

    /** A lock that is held. */
    @FunctionalInterface
    interface Held extends AutoCloseable {
        @Override
        void close();
    }
}
