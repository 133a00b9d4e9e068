// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Counts what a daemon does to the world, and kills somebody at one of those moments: before it is done, or after it was done and before
 * the daemon hears of it. Thread-safe.
 */
final class Faults {
    private final int at;
    private final String named;
    private final Runnable kill;
    private final List<String> moments = new ArrayList<>();
    private boolean dead;

    /** The daemon does nothing more. */
    static final class Dead extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** @param at the number of the moment, from 0; one that never comes for nobody */
    Faults(int at, Runnable kill) {
        this(at, "", kill);
    }

    private Faults(int at, String named, Runnable kill) {
        this.at = at;
        this.named = named;
        this.kill = kill;
    }

    /** At the first moment of that name. */
    static Faults at(String moment, Runnable kill) {
        return new Faults(-1, moment, kill);
    }

    static Faults none() {
        return new Faults(-1, () -> {});
    }

    /** A moment: from it on a daemon that is dead does nothing. */
    void moment(String what) {
        boolean now;
        synchronized (this) {
            if (dead) {
                throw new Dead();
            }
            now = moments.size() == at || what.equals(named) && !moments.contains(what);
            moments.add(what);
        }
        if (now) {
            kill.run();
        }
        synchronized (this) {
            if (dead) {
                throw new Dead();
            }
        }
    }

    /** The same with a result that the daemon would get: it gets it if it lives. */
    <T> CompletableFuture<T> moment(String what, CompletableFuture<T> result) {
        CompletableFuture<T> heard = new CompletableFuture<>();
        result.whenComplete((value, failure) -> {
            try {
                moment(what);
            } catch (Dead e) {
                return;
            }
            if (failure == null) {
                heard.complete(value);
            } else {
                heard.completeExceptionally(failure);
            }
        });
        return heard;
    }

    synchronized void die() {
        dead = true;
    }

    /** What has come so far. */
    synchronized List<String> moments() {
        return List.copyOf(moments);
    }
}
