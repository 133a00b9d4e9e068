// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import org.kmorph.api.host.KernelEvents;

/** A kernel that was started: what is true of it, whatever the daemon believes. */
final class Kernel {
    final int id;

    /** What its instance was called when it was started. */
    final String name;

    /** What it runs. */
    final Work work;

    final MorphAgent morphs;
    final Life life;
    final long bootId;
    final Line line = new Line();

    /** Whether its peers see its end at once, as that of a process; else it falls silent, as a machine that stops. */
    final boolean loud;

    /** When its agent begins to listen. */
    long listensFromNanos;

    /** When it was last disturbed: it may look dead to somebody who looked then. */
    long disturbedNanos;

    /** Whether its agent has died once: the next one knows nothing of what that had heard. */
    boolean agentForgot;

    /** When a monitor last got the answer to a heartbeat, not counting the first on each connection; 0 for never. */
    long heardNanos;

    /** Whether its host has confirmed that it runs no more. */
    boolean fenced;

    /** Whether its host holds nothing of it any more. */
    boolean released;

    /** Whether its host failed to do something that was asked for. */
    boolean hostFailed;

    /** How many of the next fences do nothing that its host could see. */
    int fencesThatFail;

    /** How it ended, if it did without being asked to. */
    Optional<String> ended = Optional.empty();

    /** Who is told of its end, and whose daemon that belongs to. */
    Optional<KernelEvents> watcher = Optional.empty();

    Life watcherLife;

    /** Connections to its agent. */
    final Set<Wire> wires = new LinkedHashSet<>();

    private boolean agentDead;

    Kernel(World world, int id, String name, Work work, long bootId, boolean loud, long listensFromNanos) {
        this.id = id;
        this.name = name;
        this.work = work;
        this.morphs = new MorphAgent(world, this);
        this.life = new Life(name + "/" + id);
        this.bootId = bootId;
        this.loud = loud;
        this.listensFromNanos = listensFromNanos;
        this.disturbedNanos = listensFromNanos;
    }

    boolean runs() {
        return life.alive();
    }

    void agentDead(boolean dead) {
        agentDead = dead;
    }

    /** Whether its agent is there, for who reaches it. */
    boolean listens(long now) {
        return runs() && !agentDead && now >= listensFromNanos;
    }

    boolean agentDead() {
        return agentDead;
    }

    @Override
    public String toString() {
        return life.toString();
    }
}
