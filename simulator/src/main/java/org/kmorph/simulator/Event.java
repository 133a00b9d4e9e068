// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

/** Something that happens at a time: a task begins or goes on, or, where there is none, an action is carried out at once. */
final class Event {
    /** Events of the same time happen in the order in which they were scheduled. */
    final long number;

    final Life life;
    final Task task;
    final Runnable action;

    /** When it was to happen, were its life not paused: those that were postponed keep their order. */
    final long dueNanos;

    long nanos;
    boolean cancelled;

    Event(long nanos, long number, Life life, Task task, Runnable action) {
        this.nanos = nanos;
        this.dueNanos = nanos;
        this.number = number;
        this.life = life;
        this.task = task;
        this.action = action;
    }
}
