// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Transport;

/**
 * The registry, without a framework around it. It answers reads at once; what changes something waits until {@link #takeOver} has read
 * the journal, at most {@link #PATIENCE}. Thread-safe.
 */
public final class Registry implements Instances, AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(5);

    private final Announcer announcer;
    private final Hosts hosts = new Hosts();
    private final Agents agents;
    private final Set<Thread> calls = new HashSet<>();
    private volatile boolean cut;
    private final CompletableFuture<Void> loaded = new CompletableFuture<>();
    private final Ledger ledger;
    private final Keeper keeper;
    private final TimeSource time;

    public Registry(RegistrySurroundings surroundings) {
        time = surroundings.time();
        announcer = new Announcer(surroundings.listeners(), this::list, surroundings.announcer());
        agents = new Agents(time);
        ledger = new Ledger(surroundings.journal(), time, announcer, surroundings.maxInstances());
        Retirement retirement = new Retirement(surroundings.client(), time, surroundings.randomness());
        keeper = new Keeper(
                surroundings.directories(),
                ledger,
                hosts,
                agents,
                announcer,
                retirement::ask,
                time,
                surroundings.keepers());
    }

    /** Reads what a former daemon left, and resumes each instance as soon as its host is there. Its predecessor acts no more. */
    public void takeOver() throws JournalException {
        keeper.takeOver();
        loaded.complete(null);
    }

    /**
     * Leaves everything as it is: who comes after goes on from the journal. Calls that are in flight have {@link #PATIENCE} to end, then they
     * are cut off; when this returns none of them acts any more.
     */
    @Override
    public void close() {
        boolean interrupted = awaitCalls(time.nanos() + PATIENCE.toNanos());
        keeper.close();
        synchronized (calls) {
            cut = true;
            calls.forEach(Thread::interrupt);
        }
        interrupted |= awaitCalls(Long.MAX_VALUE);
        announcer.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return whether the caller was interrupted meanwhile: it waits all the same */
    private boolean awaitCalls(long untilNanos) {
        boolean interrupted = false;
        while (isBusy() && time.nanos() < untilNanos) {
            try {
                time.sleep(BETWEEN_LOOKS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        return interrupted;
    }

    private boolean isBusy() {
        synchronized (calls) {
            return !calls.isEmpty();
        }
    }

    public void addHost(KernelHost host) {
        hosts.add(host);
        keeper.hostCame(host.name());
    }

    public void removeHost(KernelHost host) {
        hosts.remove(host);
    }

    public void addTransport(Transport transport) {
        agents.add(transport);
    }

    public void removeTransport(Transport transport) {
        agents.remove(transport);
    }

    /** Says that the listeners are others than before; a new one first hears of all there are. */
    public void listenersChanged() {
        announcer.listenersChanged();
    }

    @Override
    public void awaitRead(Duration patience) throws InstanceException, InterruptedException {
        try {
            time.await(loaded, patience);
        } catch (TimeoutException | ExecutionException e) {
            throw new InstanceException(
                    Reason.TIMED_OUT, "the instances are not read from the journal yet; try again, or see the log", e);
        }
    }

    @Override
    public List<Instance> list() {
        return ledger.list();
    }

    @Override
    public Optional<Instance> find(String name) {
        return ledger.find(name).map(InstanceRecord::instance);
    }

    @Override
    public Instance spawn(InstanceSpec spec, Duration timeout) throws InstanceException, InterruptedException {
        return acting(() -> keeper.spawn(spec, timeout));
    }

    @Override
    public void terminate(String name, boolean force, Duration timeout) throws InstanceException, InterruptedException {
        acting(() -> keeper.terminate(name, force, timeout));
    }

    @Override
    public Instance fence(String name, String why, Duration timeout) throws InstanceException, InterruptedException {
        return acting(() -> keeper.fence(name, why, timeout));
    }

    @Override
    public void release(String name) throws InstanceException, InterruptedException {
        acting(() -> keeper.release(name));
    }

    @Override
    public Instance succeed(String name, String successor, String aside)
            throws InstanceException, InterruptedException {
        return acting(() -> keeper.succeed(name, successor, aside));
    }

    @Override
    public Instance promote(String standby, String name) throws InstanceException, InterruptedException {
        return acting(() -> keeper.promote(standby, name));
    }

    private Instance acting(Action action) throws InstanceException, InterruptedException {
        begin();
        try {
            awaitRead(PATIENCE);
            return action.run();
        } catch (InterruptedException e) {
            if (!cut) {
                throw e;
            }
            throw new InstanceException(
                    Reason.NOT_NOW,
                    "the instances bundle was replaced meanwhile; what was begun goes on, `list` shows how far it is",
                    e);
        } finally {
            synchronized (calls) {
                calls.remove(Thread.currentThread());
                if (cut) {
                    Thread.interrupted(); // that was for the call, which is over
                }
            }
        }
    }

    private void begin() throws InstanceException {
        synchronized (calls) {
            if (cut) {
                throw new InstanceException(Reason.NOT_NOW, "the instances bundle is being replaced; try again");
            }
            calls.add(Thread.currentThread());
        }
    }

    /** A change of an instance, which answers with what became of it. */
    @FunctionalInterface
    private interface Action {
        Instance run() throws InstanceException, InterruptedException;
    }
}
