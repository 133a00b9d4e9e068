// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.policy.Policies;

/**
 * One world: a machine, its disk, its network, a daemon, and what goes wrong, all from one seed. First instances are spawned; then troubles
 * strike, for a while; then they end, and what is wrong must be put right within {@link #HEALED_WITHIN}.
 */
final class World {
    /** In which everything must have come to its end once nothing goes wrong any more. */
    static final Duration HEALED_WITHIN = Duration.ofSeconds(300);

    /** In worlds from this seed on there are standbys and morphs too. */
    static final long MOVES_FROM = 5_000;

    /** In half of the worlds from this seed on state that is moved goes through the daemon's hands, as between real kernels. */
    static final long RELAYS_FROM = 10_000;

    /** In worlds from this seed on things go wrong in the middle of handing over, too. */
    static final long HAND_OVERS_DISTURBED_FROM = 7_500;

    /** In worlds from this seed on a workload may be long in beginning on its new kernel, or end before it does. */
    static final long BEGINNINGS_DISTURBED_FROM = 9_000;

    /** In worlds from this seed on a new kernel may fall silent when the old one has released, and not be fenced for certain for long. */
    static final long FENCES_DISTURBED_FROM = 1_000_000;

    private static final long LOOK_NANOS = Duration.ofMillis(500).toNanos();

    private final long seed;
    private final Wiring wiring;
    private final Trace trace;
    private final Scheduler scheduler;
    private final SimulatedTime time;
    private final Life life = new Life("world");
    private final Dice network;
    private final Dice hosts;
    private final Dice disks;
    private final Dice calamities;
    private final Dice threads;
    private final Machine machine;
    private final Disk disk;
    private final Judge judge;
    private final Troubles troubles;
    private final Operator operator;
    private final Movers movers;
    private final HandOvers handOvers;
    private final boolean relays;
    private final SimulatedKept kept = new SimulatedKept(this);
    private final Settlement settlement;
    private final Map<String, String> policies = new HashMap<>();
    private final long timeoutNanos;
    private Optional<Daemon> daemon = Optional.empty();
    private int daemons;
    private long calmFromNanos = Long.MIN_VALUE / 2;
    private long mendedNanos;
    private boolean lossesForgiven;

    World(long seed, Wiring wiring, boolean traced, Consumer<String> lines) {
        this.seed = seed;
        this.wiring = wiring;
        trace = new Trace(traced, lines);
        Dice dice = new Dice(seed);
        network = dice.split();
        hosts = dice.split();
        disks = dice.split();
        calamities = dice.split();
        threads = dice.split();
        machine = new Machine(this);
        disk = wiring.disk().get();
        judge = new Judge(this);
        scheduler = new Scheduler(trace, judge::check);
        trace.clock(scheduler::now);
        time = new SimulatedTime(scheduler);
        troubles = new Troubles(this, dice.split());
        operator = new Operator(this, dice.split());
        settlement = new Settlement(this);
        timeoutNanos = policies(dice.split());
        Dice moves = dice.split();
        movers = new Movers(this, moves.split());
        if (moves()) {
            operator.chooseStandbys(moves.split());
        }
        handOvers = new HandOvers(
                this,
                moves.split(),
                seed >= HAND_OVERS_DISTURBED_FROM,
                seed >= BEGINNINGS_DISTURBED_FROM,
                seed >= FENCES_DISTURBED_FROM);
        relays = seed >= RELAYS_FROM && moves.split().chance(0.5);
    }

    /** Whether agents do not reach each other. */
    boolean relays() {
        return relays;
    }

    SimulatedKept kept() {
        return kept;
    }

    HandOvers handOvers() {
        return handOvers;
    }

    /** Whether there are standbys and morphs here. */
    boolean moves() {
        return seed >= MOVES_FROM;
    }

    private long policies(Dice dice) {
        String timeout = dice.of(List.of("200ms", "500ms", "1s", "3s"));
        policies.put("heartbeat-timeout", timeout);
        policies.put("health-policy", dice.chance(0.7) ? "timeout" : "phi");
        policies.put("heal-action", dice.chance(0.9) ? "respawn" : "stop");
        policies.put("fence-timeout", dice.of(List.of("1s", "3s", "10s")));
        policies.put("heal-max-crashes", dice.of(List.of("2", "5", "20")));
        policies.put("heal-backoff", dice.of(List.of("100ms", "1s", "4s")));
        policies.put("heal-backoff-most", "10s");
        return timeout.endsWith("ms")
                ? Long.parseLong(timeout.substring(0, timeout.length() - 2)) * 1_000_000
                : Long.parseLong(timeout.substring(0, timeout.length() - 1)) * 1_000_000_000;
    }

    /** What became of a world. */
    record Result(long seed, Optional<Throwable> failure, long nanos, long events, long fingerprint) {}

    Result run() {
        Throwable failure = scheduler.run(this::begin);
        return new Result(
                seed, Optional.ofNullable(failure), scheduler.now(), scheduler.happened(), trace.fingerprint());
    }

    private void begin() {
        say(
                "world",
                () -> "seed " + seed + ": instances " + operator.names() + ", policies "
                        + new java.util.TreeMap<>(policies) + (relays ? ", state through the daemon" : "")
                        + ", troubles " + troubles.chosen());
        startDaemon();
        operator.spawnAll();
        whenSpawned();
    }

    private void whenSpawned() {
        if (!operator.spawnedAll()) {
            after(LOOK_NANOS, this::whenSpawned);
            return;
        }
        troubles.begin();
        long lasts = calamities.nanos(2_000, 20_000);
        int count = calamities.between(1, 12);
        List<Long> moments = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            moments.add(calamities.nanos(0, (int) (lasts / 1_000_000)));
        }
        moments.forEach(moment -> after(moment, troubles::strike));
        if (moves()) {
            for (int number = calamities.between(1, 5); number > 0; number--) {
                after(calamities.nanos(0, (int) (lasts / 1_000_000)), movers::morphOne);
            }
        }
        after(lasts, this::mend);
    }

    /** Nothing goes wrong any more, and what is wrong with the machine itself is put right. */
    private void mend() {
        say("world", () -> "no further troubles");
        troubles.end();
        disk.full(false);
        disk.slow(0);
        disk.lies(false);
        machine.running().forEach(kernel -> kernel.line.mend());
        mendedNanos = scheduler.now();
        after(LOOK_NANOS, this::look);
    }

    private void look() {
        Optional<String> open = settlement.open();
        if (open.isEmpty()) {
            settlement.check();
            say("world", () -> "all is settled");
            scheduler.stop();
        } else if (scheduler.now() - mendedNanos > HEALED_WITHIN.toNanos()) {
            throw new Violation(
                    "not healed in time: " + HEALED_WITHIN.toSeconds() + " s after the last trouble " + open.get());
        } else {
            after(LOOK_NANOS, this::look);
        }
    }

    private void after(long nanos, Runnable action) {
        scheduler.after(nanos, life, action);
    }

    private void startDaemon() {
        daemons++;
        say("world", () -> "daemon-" + daemons + " starts");
        daemon = Optional.of(new Daemon(this, daemons));
    }

    /** The daemon ends at once; its supervisor starts another. */
    void killDaemon(String how) {
        if (daemon.isEmpty()) {
            return;
        }
        Life ended = daemon.get().life();
        say("world", () -> ended + " is killed: " + how);
        daemon = Optional.empty();
        scheduler.end(ended);
        machine.running().forEach(kernel -> kernel.wires.clear());
        after(hosts.nanos(10, 1_000), this::startDaemon);
    }

    void pauseDaemon(long nanos) {
        daemon.ifPresent(one -> {
            say("world", () -> one.life() + " stands still for " + nanos / 1_000_000 + " ms");
            one.life().pauseUntil(scheduler.now() + nanos);
            calmFromNanos = Math.max(calmFromNanos, scheduler.now() + nanos);
        });
    }

    void powerFails() {
        say("world", () -> "power fails");
        killDaemon("power has failed");
        machine.powerFails();
        disk.powerFails(disks);
        kept.powerFails();
    }

    /** A daemon that dies at its next deed, when its seed has that. */
    void killPoint(Life of, String deed) {
        killPoint(of, deed, () -> {});
    }

    /** @param lastDeed what is half done when it dies here */
    void killPoint(Life of, String deed, Runnable lastDeed) {
        Scheduler.alive(of);
        if (troubles.killsHere()) {
            lastDeed.run();
            killDaemon("kill -9 in " + deed);
            throw new Killed(of);
        }
    }

    void say(String who, Supplier<String> what) {
        if (trace.wanted()) {
            trace.say(who, what.get());
        }
    }

    /** The disk has lost what it had promised to keep: what follows from that alone is nobody's fault. */
    void forgiveLosses() {
        lossesForgiven = true;
        operator.forgive();
    }

    boolean lossesForgiven() {
        return lossesForgiven;
    }

    Scheduler scheduler() {
        return scheduler;
    }

    /** Whether times in records may be wrong here. */
    boolean wallClockJumps() {
        return troubles.chosen().contains(Trouble.WALL_CLOCK_JUMPS);
    }

    SimulatedTime time() {
        return time;
    }

    Wiring wiring() {
        return wiring;
    }

    Machine machine() {
        return machine;
    }

    Disk disk() {
        return disk;
    }

    Judge judge() {
        return judge;
    }

    Troubles troubles() {
        return troubles;
    }

    Operator operator() {
        return operator;
    }

    Policies policies() {
        return new SimulatedPolicies(policies, operator::standby);
    }

    long timeoutNanos() {
        return timeoutNanos;
    }

    /** Whether it is silence of that length that an instance is judged by, by one monitor alone at any time. */
    boolean judgesByTimeout() {
        return policies.get("health-policy").equals("timeout")
                && !troubles.chosen().contains(Trouble.MONITOR_REPLACED);
    }

    Optional<Daemon> daemon() {
        return daemon;
    }

    Life life() {
        return life;
    }

    Dice network() {
        return network;
    }

    Dice hosts() {
        return hosts;
    }

    /** Who is held up when. */
    Dice threads() {
        return threads;
    }

    Dice disks() {
        return disks;
    }

    /** Since when the daemon itself is not held up; before that it may not have seen what came. */
    long calmFromNanos() {
        return calmFromNanos;
    }

    Optional<Instance> instance(String name) {
        return daemon.flatMap(one -> one.instances().find(name));
    }
}
