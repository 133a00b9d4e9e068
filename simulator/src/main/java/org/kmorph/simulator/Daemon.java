// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.health.HealthListener;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceListener;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.transport.Transport;
import org.kmorph.api.vmcore.Vmcores;
import org.kmorph.health.Monitor;
import org.kmorph.health.MonitorSurroundings;
import org.kmorph.instances.Registry;
import org.kmorph.instances.RegistrySurroundings;
import org.kmorph.kmpclient.Clients;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.morph.Morpher;
import org.kmorph.morph.Surroundings;
import org.kmorph.recovery.Healer;
import org.kmorph.recovery.RecoverySurroundings;

/**
 * One life of the daemon: the bundles that matter to the life of instances, wired as the framework wires them, on simulated threads. Each
 * of them can be replaced while the others go on, in the order in which the framework does it.
 */
final class Daemon {
    /** As many recoveries do something at once as in the real daemon. */
    private static final int HANDS = 16;

    private static final int MAX_INSTANCES = 100;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final World world;
    private final Wiring wiring;
    private final Life life;
    private final Scheduler scheduler;
    private final Journal journal;
    private KernelHost host;
    private final Transport transport;
    private Clients client;
    private KmpClient morphClient;
    private final Policies policies;
    private final Vmcores vmcores;
    private Registry registry;
    private Instances instances;
    private Monitor monitor;
    private Monitor closedMonitor;
    private Pulse pulse;
    private Morpher morpher;
    private Instances moved;
    private Healer healer;
    private Task healing;
    private CompletableFuture<Void> healed;
    private List<InstanceListener> instanceListeners = List.of();
    private int callsInFlight;
    private boolean changing;

    Daemon(World world, int number) {
        this.world = world;
        this.wiring = world.wiring();
        scheduler = world.scheduler();
        life = new Life("daemon-" + number);
        policies = wiring.policies().apply(world.policies());
        transport = wiring.transport().apply(new SimulatedTransport(world, life));
        host = wiring.host().apply(new SimulatedHost(world, life));
        journal = new WitnessedJournal(wiring.journal().apply(new SimulatedJournal(world, life)), world.judge());
        useClient();
        vmcores = new SimulatedVmcores(world, life);
        startMonitor(Optional.empty());
        instanceListeners = List.of(world.judge(), hesitant(monitor), hesitant(endings));
        startRegistry();
        startHealer();
        if (world.moves()) {
            startMorpher();
        }
    }

    /** One that is told by a thread that may be held up before each word. */
    private InstanceListener hesitant(InstanceListener listener) {
        return new HesitantListener(world, listener);
    }

    /** Those that are there, and the judge. */
    private void listen(Monitor... monitors) {
        List<InstanceListener> now = new ArrayList<>();
        now.add(world.judge());
        for (Monitor one : monitors) {
            now.add(hesitant(one));
        }
        now.add(hesitant(endings));
        instanceListeners = List.copyOf(now);
        registry.listenersChanged();
    }

    private void useClient() {
        client = new Clients(world.time(), world.network(), crew("kmp-client", 1, false), List.of(transport));
        morphClient = wiring.morphs().client().apply(client);
    }

    private Crew crew(String name, int size, boolean discards) {
        return new Crew(scheduler, life, name, size, discards, world.threads());
    }

    Life life() {
        return life;
    }

    Instances instances() {
        return instances;
    }

    HealthMonitor monitor() {
        return monitor;
    }

    Healer healer() {
        return healer;
    }

    Morpher morpher() {
        return morpher;
    }

    /** What morphs hear of instances. */
    private final InstanceListener endings = new InstanceListener() {
        @Override
        public void changed(Instance instance) {
            // asked for when it matters
        }

        @Override
        public void gone(Instance last) {
            // as above
        }

        @Override
        public void ended(Instance instance, String how) {
            if (morpher != null) {
                morpher.ended(instance.id(), how);
            }
        }
    };

    private void startMorpher() {
        Morpher made = new Morpher(
                new Surroundings(
                        () -> moved,
                        () -> journal,
                        () -> morphClient,
                        wiring.morphs().clock().apply(world.time()),
                        crew("morph", Integer.MAX_VALUE, false),
                        crew("morph-timer", 1, false),
                        operation -> wiring.morphs().kept().apply(world.kept().of(life, operation)),
                        new Movers.Config(),
                        () -> () -> () -> {},
                        instance -> Duration.ofSeconds(10)),
                world.network());
        morpher = made;
        scheduler.begin(0, life, "morph", () -> takeOver(made), () -> {});
    }

    private static void takeOver(Morpher made) {
        try {
            made.takeOver();
        } catch (JournalException e) {
            throw new Violation("the morphs cannot be read", e);
        } catch (InterruptedException e) {
            // it is stopped
        }
    }

    void replaceMorph() {
        change("morph", () -> {
            morpher.close();
            startMorpher();
        });
    }

    Journal journal() {
        return journal;
    }

    /** A command that somebody gives; a registry that is replaced waits for it. */
    void call(String name, Runnable command) {
        callsInFlight++;
        scheduler.begin(0, life, name, command, () -> callsInFlight--);
    }

    private void startMonitor(Optional<Monitor> former) {
        Pulse own = new Pulse(scheduler, life);
        Monitor made = new Monitor(new MonitorSurroundings(
                world.time(),
                client,
                () -> List.of(transport),
                () -> policies,
                this::healthListeners,
                name -> former.filter(before -> !before.equals(closedMonitor)).flatMap(before -> before.report(name)),
                crew("health-events", 1, false),
                own::wake));
        monitor = made;
        pulse = own;
        own.start(made);
    }

    private List<HealthListener> healthListeners() {
        return healer == null ? List.of(world.judge()) : List.of(world.judge(), healer);
    }

    private void startRegistry() {
        Registry made = new Registry(new RegistrySurroundings(
                new SimulatedDirectories(world, life),
                MAX_INSTANCES,
                () -> journal,
                () -> client,
                () -> instanceListeners,
                world.time(),
                world.network(),
                crew("keeper", Integer.MAX_VALUE, false),
                crew("instance-events", 1, false)));
        registry = made;
        instances = wiring.instances().apply(made);
        moved = wiring.morphs().instances().apply(made);
        made.addTransport(transport);
        made.addHost(host);
        made.listenersChanged();
        scheduler.begin(0, life, "registry", () -> takeOver(made), () -> {});
    }

    private static void takeOver(Registry made) {
        try {
            made.takeOver();
        } catch (JournalException e) {
            throw new Violation("the instances cannot be read", e);
        }
    }

    private void startHealer() {
        Healer made = new Healer(new RecoverySurroundings(
                instances,
                client,
                () -> monitor,
                () -> journal,
                () -> policies,
                List::of,
                () -> Optional.of(vmcores),
                id -> List.of(),
                world.time(),
                world.network(),
                wiring.loop().apply(crew("recovery-loop", 1, true)),
                crew("recovery-hand", HANDS, true)));
        CompletableFuture<Void> over = new CompletableFuture<>();
        healer = made;
        healed = over;
        healing = scheduler.begin(0, life, "recovery", () -> heal(made), () -> over.complete(null));
    }

    private static void heal(Healer made) {
        try {
            made.heal();
        } catch (JournalException e) {
            throw new Violation("the recoveries cannot be read", e);
        } catch (InterruptedException e) {
            // it is stopped
        }
    }

    private void stopHealer() throws InterruptedException {
        healer = null;
        scheduler.interrupt(healing);
        while (!healed.isDone()) {
            await(healed);
        }
    }

    private void await(CompletableFuture<Void> over) throws InterruptedException {
        try {
            world.time().await(over, PATIENCE);
        } catch (TimeoutException | ExecutionException e) {
            world.say("daemon", () -> "a bundle that is replaced still does something");
        }
    }

    void replaceRecovery() {
        change("recovery", () -> {
            stopHealer();
            startHealer();
        });
    }

    /** Who uses the registry is stopped first, and started again with its successor. */
    void replaceRegistry() {
        change("instances", () -> {
            stopHealer();
            registry.close();
            startRegistry();
            startHealer();
        });
    }

    /** Its successor watches beside it before it goes. */
    void replaceMonitor() {
        change("health", () -> {
            Monitor former = monitor;
            Pulse formerPulse = pulse;
            startMonitor(Optional.of(former));
            listen(former, monitor);
            world.time().sleep(Duration.ofMillis(50));
            listen(monitor);
            formerPulse.stop();
            former.close();
            closedMonitor = former;
        });
    }

    /** The new version comes before the old one goes, or after it. */
    void replaceHost(boolean before) {
        change("host-sim", () -> {
            KernelHost former = host;
            host = wiring.host().apply(new SimulatedHost(world, life));
            if (before) {
                registry.addHost(host);
                world.time().sleep(Duration.ofMillis(50));
            }
            registry.removeHost(former);
            if (!before) {
                world.time().sleep(Duration.ofMillis(50));
                registry.addHost(host);
            }
        });
    }

    /** Who uses it is stopped first, and started again with its successor. */
    void replaceClient() {
        change("kmp-client", () -> {
            stopHealer();
            pulse.stop();
            monitor.close();
            closedMonitor = monitor;
            client.stop();
            useClient();
            startMonitor(Optional.empty());
            listen(monitor);
            startHealer();
        });
    }

    /** What an update of a bundle does. */
    private interface Change {
        void make() throws InterruptedException;
    }

    private void change(String bundle, Change change) {
        if (changing) {
            return;
        }
        changing = true;
        world.say("daemon", () -> "bundle " + bundle + " is replaced");
        scheduler.begin(
                0,
                life,
                "update of " + bundle,
                () -> {
                    try {
                        change.make();
                        world.say("daemon", () -> "bundle " + bundle + " has been replaced");
                    } catch (InterruptedException e) {
                        throw new Violation("an update was interrupted", e);
                    }
                },
                () -> changing = false);
    }

    /** Whether no bundle is being replaced and no command is under way. */
    boolean quiet() {
        return !changing && callsInFlight == 0 && healer != null;
    }

    Optional<HealthReport> health(String name) {
        return monitor.report(name);
    }
}
