// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

/** Something that may block. It has a strand of its own from its beginning to its end. */
final class Task {
    final Life life;
    final String name;
    private final Runnable work;
    private final Runnable whenOver;

    /** What it runs on; absent until it has begun. */
    Strand strand;

    /** What wakes it, while it is blocked. */
    Event wake;

    private boolean interrupted;

    /** @param whenOver is done however the work ends, but for the death of its life */
    Task(Life life, String name, Runnable work, Runnable whenOver) {
        this.life = life;
        this.name = name;
        this.work = work;
        this.whenOver = whenOver;
    }

    void run() {
        try {
            work.run();
        } finally {
            if (life.alive()) {
                whenOver.run();
            }
        }
    }

    void interrupt() {
        interrupted = true;
    }

    /** Whether it was interrupted, by whomever; it is not any more. To be asked by the task itself. */
    boolean takeInterrupt() {
        boolean was = Thread.interrupted() | interrupted;
        interrupted = false;
        return was;
    }
}
