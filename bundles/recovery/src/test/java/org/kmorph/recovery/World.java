// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.vmcore.Vmcores;

/**
 * What outlives a daemon, in memory: the journal, the registry, the kernels. Each write and each act on a kernel is a deed; at a given
 * one the daemon is killed, which is: nothing it does has an effect any more, until there is another.
 */
final class World implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final TimeSource TIME = new MachineTime();

    private final List<JournalRecord> records = new ArrayList<>();
    private final Map<String, Instance> instances = new LinkedHashMap<>();
    private final Set<Integer> kernels = new HashSet<>();
    private final Map<Integer, Integer> releases = new HashMap<>();
    private final List<InstanceSpec> spawned = new ArrayList<>();
    private final Set<Integer> failed = new HashSet<>();
    private final Map<Integer, Integer> captures = new HashMap<>();
    private boolean capturedUnfenced;
    /** Whether the registry that a new ward finds has read what the former one left. */
    private volatile boolean read = true;

    private boolean releasedUnfenced;
    private int mostAtOnce;
    private int nextId = 1;
    private int deeds;
    private int killAt;
    private Duration startPatience = Duration.ZERO;

    /** What a spawn waits for. */
    private CountDownLatch booted = new CountDownLatch(0);

    World(int killAt) {
        this.killAt = killAt;
    }

    /** Before each effect. Whoever was killed has none: its thread stands still until the test ends it. */
    private void deed() {
        synchronized (this) {
            if (deeds < killAt) {
                deeds++;
                return;
            }
        }
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("killed", e);
        }
    }

    synchronized int deeds() {
        return deeds;
    }

    private synchronized boolean dead() {
        return deeds >= killAt;
    }

    /** A new daemon, which has read the registry: what was only being started is removed. */
    synchronized void reviveUntil(int nextKill) {
        killAt = nextKill;
        instances.values().removeIf(instance -> instance.state() == InstanceState.STARTING && stop(instance));
    }

    /** Starts take until the latch is open, and what is done is closed only when they are over, or so much later. */
    void startSlowly(CountDownLatch latch, Duration patience) {
        booted = latch;
        startPatience = patience;
    }

    private void awaitBoot(String name) throws InterruptedException {
        try {
            booted.await();
        } catch (InterruptedException e) {
            synchronized (this) {
                stop(instances.remove(name));
            }
            throw e;
        }
    }

    private boolean stop(Instance instance) {
        kernels.remove(instance.id());
        return true;
    }

    Ward ward() {
        read = false;
        Casebook casebook = casebook();
        SplittableRandom random = new SplittableRandom();
        return new Ward(
                casebook,
                hands(casebook),
                StandardPolicies::new,
                new Bulletin(casebook, List::of),
                id -> List.of("instance " + id + " oopsed"),
                TIME,
                random::nextLong,
                Executors.newSingleThreadScheduledExecutor(),
                Executors.newCachedThreadPool(),
                startPatience);
    }

    Casebook casebook() {
        return new Casebook(() -> journal, TIME);
    }

    private Hands hands(Casebook casebook) {
        return new Hands(
                registry,
                new Survivors(null, TIME),
                new Captures(() -> Optional.of(vmcores)),
                new Standby(null, TIME),
                new Activation((bearer, operation) -> Optional.empty(), registry, this::isFailed, TIME),
                casebook,
                TIME);
    }

    /** Does one thing by hand, for a patient that a former daemon has read. */
    Healing.Event perform(Healing.Action action, Healing healing) throws InterruptedException {
        return hands(casebook()).perform(action, healing, 1);
    }

    /** Writes down, as the registry does, what an instance is, and that it is RUNNING. */
    void recorded(int id, InstanceSpec spec) {
        recorded(id, spec, InstanceState.RUNNING, false);
    }

    synchronized void recorded(int id, InstanceSpec spec, InstanceState state, boolean terminating) {
        Map<String, String> fields = new HashMap<>(spec.fields());
        fields.put("id", Integer.toString(id));
        fields.put("state", state.name());
        fields.put("terminating", Boolean.toString(terminating));
        Entry entry = Entry.of("instance", spec.name(), fields).about(spec.name());
        records.add(new JournalRecord(records.size() + 1L, Instant.now(), entry));
    }

    /** One that runs, and has failed. */
    synchronized Instance running(String name, int id) {
        nextId = id + 1;
        Instance made = instance(id, name, InstanceState.RUNNING);
        instances.put(name, made);
        failed.add(id);
        kernels.add(id);
        mostAtOnce = 1;
        return made;
    }

    private static Instance instance(int id, String name, InstanceState state) {
        InstanceSpec spec = InstanceSpec.watched(name, "local", Path.of("/boot/vmlinuz"), List.of());
        return new Instance(id, spec, state, Instant.EPOCH, "", id + 2L, "6.1.0", Optional.empty(), List.of());
    }

    HealthReport failedReport(Instance instance) {
        return new HealthReport(
                instance.name(),
                instance.id(),
                Health.FAILED,
                "silent",
                Optional.empty(),
                "timeout",
                Optional.of(false),
                Optional.empty(),
                List.of(),
                List.of(),
                1,
                1,
                Map.of());
    }

    synchronized boolean isFailed(Instance instance) {
        return failed.contains(instance.id()) && instance.state() == InstanceState.RUNNING;
    }

    synchronized Optional<Instance> find(String name) {
        return Optional.ofNullable(instances.get(name));
    }

    synchronized int releases(int id) {
        return releases.getOrDefault(id, 0);
    }

    synchronized List<InstanceSpec> spawned() {
        return List.copyOf(spawned);
    }

    synchronized int captures(int id) {
        return captures.getOrDefault(id, 0);
    }

    synchronized boolean capturedUnfenced() {
        return capturedUnfenced;
    }

    synchronized boolean releasedUnfenced() {
        return releasedUnfenced;
    }

    synchronized int mostAtOnce() {
        return mostAtOnce;
    }

    List<RecoveryReport> reports(String name) throws JournalException {
        return casebook().log(Optional.of(name), Optional.empty());
    }

    /** Waits until the daemon was killed, or all that it has begun is over. */
    void awaitQuiet() throws Exception {
        await(() -> dead() || begunAndOver());
    }

    void awaitHealed(String name, int notId) throws Exception {
        await(() -> begunAndOver()
                && find(name)
                        .filter(one -> one.id() != notId && one.state() == InstanceState.RUNNING)
                        .isPresent());
    }

    private synchronized boolean begunAndOver() {
        return !records.isEmpty() && latest().isEmpty();
    }

    static void await(java.util.function.BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("it did not come about within " + PATIENCE);
            }
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    private synchronized List<JournalRecord> latest() {
        Map<String, JournalRecord> newest = new LinkedHashMap<>();
        records.forEach(record -> newest.put(record.entry().key(), record));
        return newest.values().stream()
                .filter(record -> !record.entry().closes())
                .toList();
    }

    private final Journal journal = new Journal() {
        @Override
        public long append(List<Entry> entries) {
            deed();
            synchronized (World.this) {
                for (Entry entry : entries) {
                    records.add(new JournalRecord(records.size() + 1L, Instant.now(), entry));
                }
                return records.size();
            }
        }

        @Override
        public List<JournalRecord> read(Query query) {
            synchronized (World.this) {
                return records.stream()
                        .filter(record ->
                                query.kind().map(record.entry().kind()::equals).orElse(true))
                        .filter(record ->
                                query.key().map(record.entry().key()::equals).orElse(true))
                        .filter(record -> query.instance()
                                .map(name -> record.entry().instance().equals(Optional.of(name)))
                                .orElse(true))
                        .toList();
            }
        }

        @Override
        public List<JournalRecord> latest(String kind) {
            return World.this.latest().stream()
                    .filter(record -> record.entry().kind().equals(kind))
                    .toList();
        }
    };

    private final Vmcores vmcores = new SimpleVmcores(this::captured);

    private void captured(Instance fenced) {
        deed();
        synchronized (this) {
            capturedUnfenced |= kernels.contains(fenced.id())
                    || find(fenced.name()).map(Instance::state).orElse(InstanceState.RUNNING) != InstanceState.FENCED;
            captures.merge(fenced.id(), 1, Integer::sum);
        }
    }

    final Instances registry = new Instances() {
        @Override
        public void awaitRead(Duration patience) {
            read = true;
        }

        @Override
        public List<Instance> list() {
            synchronized (World.this) {
                return read ? List.copyOf(instances.values()) : List.of();
            }
        }

        @Override
        public Optional<Instance> find(String name) {
            return read ? World.this.find(name) : Optional.empty();
        }

        @Override
        public Instance spawn(InstanceSpec spec, Duration timeout) throws InstanceException, InterruptedException {
            deed();
            int id;
            synchronized (World.this) {
                if (instances.containsKey(spec.name())) {
                    throw new InstanceException(Reason.REFUSED, "it is there already");
                }
                id = nextId++;
                kernels.add(id);
                mostAtOnce = Math.max(mostAtOnce, kernels.size());
                instances.put(spec.name(), instance(id, spec.name(), InstanceState.STARTING));
            }
            awaitBoot(spec.name());
            deed();
            synchronized (World.this) {
                Instance made = instance(id, spec.name(), InstanceState.RUNNING);
                instances.put(spec.name(), made);
                spawned.add(spec);
                return made;
            }
        }

        @Override
        public void terminate(String name, boolean force, Duration timeout) {
            throw new AssertionError("a recovery does not terminate");
        }

        @Override
        public Instance fence(String name, String why, Duration timeout) {
            deed();
            synchronized (World.this) {
                Instance there = instances.get(name);
                kernels.remove(there.id());
                Instance fenced = instance(there.id(), name, InstanceState.FENCED);
                instances.put(name, fenced);
                return fenced;
            }
        }

        @Override
        public void release(String name) {
            deed();
            synchronized (World.this) {
                Instance there = instances.remove(name);
                releasedUnfenced |= there.state() != InstanceState.FENCED;
                releases.merge(there.id(), 1, Integer::sum);
            }
        }

        @Override
        public Instance succeed(String name, String successor, String aside) {
            throw new AssertionError("a recovery gives no names away");
        }

        @Override
        public Instance promote(String standby, String name) {
            throw new AssertionError("there is no standby");
        }
    };

    @Override
    public void close() {
        reviveUntil(Integer.MAX_VALUE);
    }
}
