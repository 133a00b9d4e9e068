// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import org.kmorph.health.Monitor;

/** Calls a monitor when it wants to be called. */
final class Pulse {
    private final Scheduler scheduler;
    private final Life daemon;
    private Monitor monitor;
    private Event next;
    private boolean stopped;

    Pulse(Scheduler scheduler, Life daemon) {
        this.scheduler = scheduler;
        this.daemon = daemon;
    }

    void start(Monitor beats) {
        monitor = beats;
        wake();
    }

    void wake() {
        if (monitor != null && !stopped) {
            schedule(scheduler.now());
        }
    }

    private void schedule(long nanos) {
        if (next != null) {
            next.cancelled = true;
        }
        next = scheduler.after(nanos - scheduler.now(), daemon, this::turn);
    }

    private void turn() {
        if (!stopped) {
            next = null;
            long later = monitor.turn(scheduler.now());
            if (next == null) {
                schedule(later);
            }
        }
    }

    void stop() {
        stopped = true;
    }
}
