// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceSpec;

/** The person at the shell: spawns instances, sometimes ends or recovers one, and remembers what the daemon has promised. */
final class Operator {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String NAMES = "abcdef";

    private final World world;
    private final Dice dice;
    private final List<String> names = new ArrayList<>();

    /** Names that the daemon has said to run, and that nobody has asked to end since. */
    private final Set<String> promised = new HashSet<>();

    /** Names whose instances are being ended by hand. */
    private final List<String> ending = new ArrayList<>();

    /** Names whose instances a person wanted to end, and has not spawned again since. */
    private final Set<String> unwanted = new HashSet<>();

    /** Names that are being spawned by hand. */
    private final List<String> spawning = new ArrayList<>();

    /** Names that have a standby. */
    private final Set<String> guarded = new HashSet<>();

    Operator(World world, Dice dice) {
        this.world = world;
        this.dice = dice;
        int count = dice.between(1, NAMES.length());
        for (int at = 0; at < count; at++) {
            names.add(NAMES.substring(at, at + 1));
        }
    }

    List<String> names() {
        return names;
    }

    void chooseStandbys(Dice moves) {
        names.stream().filter(name -> moves.chance(0.4)).forEach(guarded::add);
    }

    /** Who stands by for that instance. */
    Optional<String> standby(String name) {
        return guarded.contains(name) ? Optional.of(name + "-b") : Optional.empty();
    }

    boolean wasPromised(String name) {
        return promised.contains(name);
    }

    /** Records were lost that a lying disk had promised: so were instances. */
    void forgive() {
        promised.clear();
    }

    void spawnAll() {
        names.forEach(this::spawn);
    }

    boolean spawnedAll() {
        return spawning.isEmpty();
    }

    boolean spawns(String name) {
        return spawning.contains(name);
    }

    boolean unwanted(String name) {
        return unwanted.contains(name);
    }

    boolean ends(String name) {
        return ending.contains(name);
    }

    private void spawn(String name) {
        spawning.add(name);
        boolean ended = unwanted.remove(name);
        command("spawn " + name, daemon -> {
            try {
                checkFree(daemon, name);
                int id = daemon.instances()
                        .spawn(spec(name, Optional.empty()), PATIENCE)
                        .id();
                if (!ends(name)) {
                    promised.add(name);
                }
                if (standby(name).isPresent()) {
                    daemon.instances().spawn(spec(standby(name).get(), Optional.of(id)), PATIENCE);
                }
            } catch (InstanceException e) {
                // what was ended stays so
                if (ended && daemon.instances().find(name).isEmpty()) {
                    unwanted.add(name);
                }
                throw e;
            } finally {
                spawning.remove(name);
            }
        });
    }

    /** As the command {@code spawn}, but that this one has no patience. */
    private static void checkFree(Daemon daemon, String name) throws InstanceException {
        if (daemon.morpher() != null
                && daemon.instances().find(name).isEmpty()
                && daemon.morpher().list().stream()
                        .anyMatch(morph -> morph.instance().equals(name))) {
            throw new InstanceException(Reason.REFUSED, "a morph of \"" + name + "\" is not over");
        }
    }

    private InstanceSpec spec(String name, Optional<Integer> standbyFor) {
        InstanceSpec alone = InstanceSpec.watched(
                name, SimulatedHost.NAME, Path.of("/boot/vmlinuz"), world.moves() ? List.of("work") : List.of());
        return standbyFor.map(id -> alone.succeeding(id, alone.kernel())).orElse(alone);
    }

    void spawnOne() {
        names.stream()
                .filter(name -> world.daemon()
                        .map(daemon -> daemon.instances().find(name).isEmpty())
                        .orElse(false))
                .findFirst()
                .ifPresent(this::spawn);
    }

    void terminateOne() {
        String name = dice.of(names);
        command("terminate " + name, daemon -> {
            promised.remove(name);
            unwanted.add(name);
            ending.add(name);
            try {
                daemon.instances().terminate(name, dice.chance(0.5), PATIENCE);
            } finally {
                ending.remove(name);
            }
        });
    }

    void recoverOne() {
        String name = dice.of(names);
        command("recover " + name, daemon -> {
            if (daemon.healer() != null) {
                daemon.healer().recover(name, "operator", PATIENCE);
            }
        });
    }

    private interface Command {
        void give(Daemon daemon) throws InstanceException, InterruptedException;
    }

    private void command(String text, Command command) {
        world.daemon()
                .ifPresent(daemon -> daemon.call(text, () -> {
                    try {
                        world.say("operator", () -> text);
                        command.give(daemon);
                        world.say("operator", () -> text + ": done");
                    } catch (InstanceException e) {
                        world.say("operator", () -> text + ": " + e.getMessage());
                    } catch (InterruptedException e) {
                        throw new Violation("a command was interrupted", e);
                    }
                }));
    }
}
