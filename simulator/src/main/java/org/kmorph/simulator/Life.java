// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

/** Something that runs, and can be paused or killed: a daemon, a kernel. What it has scheduled waits, or goes, with it. */
final class Life {
    private final String name;
    private boolean alive = true;
    private long pausedUntilNanos = Long.MIN_VALUE;

    Life(String name) {
        this.name = name;
    }

    boolean alive() {
        return alive;
    }

    void end() {
        alive = false;
    }

    void pauseUntil(long nanos) {
        pausedUntilNanos = Math.max(pausedUntilNanos, nanos);
    }

    long pausedUntilNanos() {
        return pausedUntilNanos;
    }

    boolean pausedAt(long nanos) {
        return nanos < pausedUntilNanos;
    }

    @Override
    public String toString() {
        return name;
    }
}
