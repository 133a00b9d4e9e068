// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.osgi.service.component.annotations.Component;

/** The changing commands that run now, so that the daemon can stop without cutting one off. Thread-safe. */
@Component(service = Running.class)
public final class Running {
    private final List<String> names = new ArrayList<>();
    private boolean closed;

    /**
     * Begins a command; close the result when it ends.
     *
     * @return empty when no more are taken
     */
    synchronized Optional<Entry> enter(String name) {
        if (closed) {
            return Optional.empty();
        }
        names.add(name);
        return Optional.of(() -> leave(name));
    }

    private synchronized void leave(String name) {
        names.remove(name);
        notifyAll();
    }

    /**
     * Takes no more commands and waits until those that run have ended. When it is interrupted, commands are taken again.
     *
     * @param tell hears the names of what is waited for, once, if there is anything
     * @throws InterruptedException when cancelled before all had ended
     */
    public void closeAndAwait(Consumer<List<String>> tell) throws InterruptedException {
        List<String> waitedFor;
        synchronized (this) {
            closed = true;
            waitedFor = List.copyOf(names);
        }
        if (!waitedFor.isEmpty()) {
            tell.accept(waitedFor);
        }
        synchronized (this) {
            try {
                while (!names.isEmpty()) {
                    wait();
                }
            } catch (InterruptedException e) {
                closed = false;
                throw e;
            }
        }
    }

    /** A command that runs. */
    @FunctionalInterface
    interface Entry extends AutoCloseable {
        @Override
        void close();
    }
}
