// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.morph;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.morph.MorphException;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.morph.StateTransfer;

/**
 * Morphs several instances, so many of them at a time. At the first failure no other is begun, and what is not committed is rolled back.
 * Used once, by one thread.
 */
final class GroupMorph {
    private static final ThreadFactory MOVERS = new DaemonThreads("kmorph-group-morph");

    private final Morphs morphs;
    private final Path kernel;
    private final StateTransfer transfer;
    private final Duration timeout;
    private final Consumer<String> told;
    private final Queue<String> waiting = new ArrayDeque<>();
    private Optional<CommandException> failure = Optional.empty();

    /** @param told hears a line of each instance, by several threads, one after the other */
    GroupMorph(Morphs morphs, Path kernel, StateTransfer transfer, Duration timeout, Consumer<String> told) {
        this.morphs = morphs;
        this.kernel = kernel;
        this.transfer = transfer;
        this.timeout = timeout;
        this.told = told;
    }

    /**
     * @param atATime how many may be in a morph at any moment
     * @throws CommandException the first failure, when all that were under way are over
     * @throws InterruptedException when cancelled, after each that was under way has been told so; what was not committed is rolled back
     */
    ExitCode run(List<String> names, int atATime) throws CommandException, InterruptedException {
        waiting.addAll(names);
        List<Thread> movers = new ArrayList<>();
        for (int i = 0; i < atATime; i++) {
            Thread mover = MOVERS.newThread(this::moveOneAfterTheOther);
            mover.start();
            movers.add(mover);
        }
        try {
            join(movers);
        } catch (InterruptedException e) {
            movers.forEach(Thread::interrupt);
            join(movers);
            throw e;
        }
        synchronized (this) {
            waiting.forEach(name -> told.accept(name + ": not begun"));
            if (failure.isPresent()) {
                throw failure.get();
            }
        }
        return ExitCode.DONE;
    }

    private static void join(List<Thread> movers) throws InterruptedException {
        for (Thread mover : movers) {
            mover.join();
        }
    }

    private void moveOneAfterTheOther() {
        for (Optional<String> next = next(); next.isPresent(); next = next()) {
            String name = next.get();
            try {
                move(name);
            } catch (MorphException e) {
                failed(name, MorphView.failure(e));
            } catch (InterruptedException e) {
                failed(name, new CommandException(ExitCode.ROLLED_BACK, "the morph of \"" + name + "\" was cancelled"));
            } catch (RuntimeException e) {
                // else the command would end as if all had gone well
                failed(name, new CommandException(ExitCode.FAILED, "the morph of \"" + name + "\" failed: " + e, e));
            }
        }
    }

    private void move(String name) throws MorphException, InterruptedException {
        morphs.prepare(name, kernel, transfer, timeout, status -> {});
        if (hasFailed()) {
            morphs.rollback(name);
            tell(name + ": rolled back, for another has failed");
            return;
        }
        MorphStatus committed = morphs.commit(name, timeout);
        tell(name + ": " + MorphView.committed(committed));
    }

    private synchronized Optional<String> next() {
        return failure.isPresent() ? Optional.empty() : Optional.ofNullable(waiting.poll());
    }

    private synchronized boolean hasFailed() {
        return failure.isPresent();
    }

    private synchronized void tell(String line) {
        told.accept(line);
    }

    private synchronized void failed(String name, CommandException why) {
        told.accept(name + ": " + why.getMessage());
        if (failure.isEmpty()) {
            failure = Optional.of(why);
        }
    }
}
