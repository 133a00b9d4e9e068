// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.HostedKernel;
import org.kmorph.api.host.KernelEvents;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.host.KernelImage;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;

/**
 * What outlives a daemon, in memory: the journal's records and the kernels that run. The daemon can be "killed" before any chosen
 * step that it takes on them, after which no step has an effect until {@link #boot}.
 */
final class Machine {
    private final List<JournalRecord> records = new ArrayList<>();
    private final Map<Integer, InstanceSpec> running = new LinkedHashMap<>();
    private final TreeSet<Integer> present = new TreeSet<>();
    private final List<Integer> adopted = new ArrayList<>();
    private int stepsLeft = Integer.MAX_VALUE;
    private int stepsTaken;
    boolean fencingCanBeConfirmed = true;
    boolean journalIsFull;
    Booting booting = () -> {};

    /** What a kernel does before it runs: it may take long, and be cut off. */
    @FunctionalInterface
    interface Booting {
        void await() throws InterruptedException;
    }

    /** Thrown at the step at which the daemon is killed; nothing in the code under test may catch it. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1L;

        Killed() {
            super("the daemon is killed here", null, false, false);
        }
    }

    synchronized boolean killed() {
        return stepsLeft == 0;
    }

    synchronized void killAfter(int steps) {
        stepsLeft = steps;
    }

    synchronized void boot() {
        stepsLeft = Integer.MAX_VALUE;
        stepsTaken = 0;
    }

    synchronized int stepsTaken() {
        return stepsTaken;
    }

    private synchronized void step() {
        if (stepsLeft-- <= 0) {
            stepsLeft = 0;
            throw new Killed();
        }
        stepsTaken++;
    }

    synchronized List<Integer> running() {
        return List.copyOf(running.keySet());
    }

    /** Ids of which the host still has anything. */
    synchronized List<Integer> present() {
        return List.copyOf(present);
    }

    /** Ids in the order in which the host was asked to adopt them. */
    synchronized List<Integer> adopted() {
        return List.copyOf(adopted);
    }

    Journal journal() {
        return new Journal() {
            @Override
            public long append(List<Entry> entries) throws JournalException {
                step();
                synchronized (Machine.this) {
                    if (journalIsFull) {
                        throw new JournalException("the disk is full");
                    }
                    entries.forEach(entry -> records.add(new JournalRecord(records.size() + 1L, Instant.EPOCH, entry)));
                    return records.size();
                }
            }

            @Override
            public List<JournalRecord> read(Query query) {
                synchronized (Machine.this) {
                    List<JournalRecord> found = records.stream()
                            .filter(record -> query.kind()
                                    .map(record.entry().kind()::equals)
                                    .orElse(true))
                            .toList();
                    return found.subList(Math.max(0, found.size() - query.limit()), found.size());
                }
            }

            @Override
            public List<JournalRecord> latest(String kind) {
                synchronized (Machine.this) {
                    Map<String, JournalRecord> newest = new LinkedHashMap<>();
                    records.stream()
                            .filter(record -> record.entry().kind().equals(kind))
                            .forEach(record -> newest.put(record.entry().key(), record));
                    return newest.values().stream()
                            .filter(record -> !record.entry().closes())
                            .toList();
                }
            }
        };
    }

    KernelHost host() {
        return new KernelHost() {
            @Override
            public String name() {
                return "local";
            }

            @Override
            public KernelImage inspect(InstanceSpec spec) {
                return new KernelImage("6.1.0");
            }

            @Override
            public HostedKernel start(int id, InstanceSpec spec, Path directory, KernelEvents events)
                    throws InterruptedException {
                step();
                synchronized (Machine.this) {
                    present.add(id);
                    running.put(id, spec);
                }
                booting.await();
                step();
                return kernel(true);
            }

            @Override
            public HostedKernel adopt(int id, InstanceSpec spec, Path directory, KernelEvents events) {
                step();
                synchronized (Machine.this) {
                    adopted.add(id);
                }
                return kernel(running().contains(id));
            }

            @Override
            public void fence(int id, Path directory, Duration patience) throws HostException {
                step();
                if (!fencingCanBeConfirmed) {
                    throw new HostException("its process does not end");
                }
                synchronized (Machine.this) {
                    running.remove(id);
                }
            }

            @Override
            public List<MemoryRange> memory(int id, Path directory) {
                return List.of();
            }

            @Override
            public void release(int id, Path directory) {
                step();
                synchronized (Machine.this) {
                    if (running.containsKey(id)) {
                        throw new AssertionError("instance " + id + " is released while its kernel runs");
                    }
                    present.remove(id);
                }
            }
        };
    }

    private static HostedKernel kernel(boolean runs) {
        return new HostedKernel(
                runs, runs ? Optional.empty() : Optional.of("exit 1"), new Endpoint("unix", "/agent"), List.of());
    }

    /** A transport whose peers always listen. */
    static Transport transport() {
        return new Transport() {
            @Override
            public String scheme() {
                return "unix";
            }

            @Override
            public Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler) {
                Connection connection = new Connection() {
                    @Override
                    public boolean send(ByteBuffer bytes) {
                        return true;
                    }

                    @Override
                    public void close(String why) {
                        // nothing is held
                    }
                };
                handler.opened(connection);
                return connection;
            }
        };
    }
}
