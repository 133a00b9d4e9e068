// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.daemon.InFlight;

/** The engine there is now. While it is being replaced there may be none for a moment; callers wait for the next. */
final class Runners {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Optional<CommandRunner> runner = Optional.empty();
    private final InFlight calls = new InFlight();
    private boolean kept;
    private boolean closed;
    private boolean succeeded;

    void set(CommandRunner now) {
        lock.lock();
        try {
            runner = closed ? Optional.empty() : Optional.of(now);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Takes it away, unless another has replaced it already. */
    void unset(CommandRunner gone) {
        lock.lock();
        try {
            runner = runner.filter(r -> kept || r != gone);
        } finally {
            lock.unlock();
        }
    }

    /**
     * From now on the engine stays: a door that lets its last callers finish is told that all its services are taken away, and
     * a caller who is in already must not notice.
     */
    void keep() {
        lock.lock();
        try {
            kept = true;
        } finally {
            lock.unlock();
        }
    }

    /** From now on nobody gets an engine: the door's end came before its successor's begin, and what the engine needs ends too. */
    void close() {
        lock.lock();
        try {
            closed = true;
            runner = Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /** The successor is there. */
    void succeeded() {
        lock.lock();
        try {
            succeeded = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until no call runs that has an engine. @return whether that happened within the time given */
    boolean drain(Duration atMost) {
        return calls.drain(atMost);
    }

    /**
     * Calls the engine; empty when none came within the time.
     *
     * @throws HandedOver when the successor of this door has to be asked
     */
    Optional<ExitCode> call(Duration atMost, Function<CommandRunner, ExitCode> command)
            throws InterruptedException, HandedOver {
        CommandRunner engine;
        InFlight.Call call;
        lock.lock();
        try {
            Optional<CommandRunner> there = await(atMost);
            if (there.isEmpty()) {
                return Optional.empty();
            }
            engine = there.get();
            call = calls.enter();
        } finally {
            lock.unlock();
        }
        try {
            return Optional.of(command.apply(engine));
        } finally {
            call.close();
        }
    }

    private Optional<CommandRunner> await(Duration atMost) throws InterruptedException, HandedOver {
        long left = atMost.toNanos();
        while (runner.isEmpty() && !succeeded && left > 0) {
            left = changed.awaitNanos(left);
        }
        if (runner.isEmpty() && succeeded) {
            throw new HandedOver();
        }
        return runner;
    }
}
