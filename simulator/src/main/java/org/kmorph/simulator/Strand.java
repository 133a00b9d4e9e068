// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.concurrent.locks.LockSupport;

/**
 * A thread of which at most one of all runs at any time: who has the turn passes it on and waits until it comes back. So what is written to
 * block can be simulated as if it were of one thread.
 */
final class Strand extends Thread {
    private final Scheduler scheduler;
    private volatile boolean turn;

    /** What it is to begin when its turn comes. */
    private Task assigned;

    Strand(Scheduler scheduler, int number) {
        super(null, null, "strand-" + number, 256 * 1024);
        this.scheduler = scheduler;
        setDaemon(true);
    }

    /** The world that the current thread is of, if it is of one. */
    static Scheduler current() {
        return Thread.currentThread() instanceof Strand strand ? strand.scheduler : null;
    }

    void assign(Task task) {
        assigned = task;
    }

    void give() {
        turn = true;
        LockSupport.unpark(this);
    }

    void awaitTurn() {
        while (!turn) {
            LockSupport.park(this);
        }
        turn = false;
    }

    @Override
    public void run() {
        awaitTurn();
        while (!scheduler.retired()) {
            if (assigned != null) {
                Task task = assigned;
                assigned = null;
                scheduler.carryOut(task, this);
            } else {
                scheduler.drive(this, null);
            }
        }
    }
}
