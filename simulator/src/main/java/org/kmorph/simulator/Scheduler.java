// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Semaphore;

/**
 * The time of a world, and what happens in it, one after the other: events, in the order of their times. An event is carried out by whichever
 * strand has the turn; a task that blocks goes on driving the events itself until it is its own turn again, so that the turn is passed
 * on only where another one's stack is needed.
 *
 * <p>Everything here is called with the turn, but for {@link #run}.
 */
final class Scheduler {
    /** So many things wait at most: beyond it something grows without a limit. */
    private static final int MAX_EVENTS = 20_000;

    private final PriorityQueue<Event> events = new PriorityQueue<>(Comparator.comparingLong((Event one) -> one.nanos)
            .thenComparingLong(one -> one.dueNanos)
            .thenComparingLong(one -> one.number));
    private final Deque<Strand> idle = new ArrayDeque<>();
    private final List<Task> blocked = new ArrayList<>();
    private final Semaphore over = new Semaphore(0);
    private final Runnable afterEach;
    private final Trace trace;
    private long now;
    private long number;
    private long happened;
    private int strands;
    private Task running;
    private Throwable failure;
    private boolean stopped;
    private boolean retired;

    /** @param afterEach is done after each event; what it throws ends the world */
    Scheduler(Trace trace, Runnable afterEach) {
        this.trace = trace;
        this.afterEach = afterEach;
    }

    long now() {
        return now;
    }

    /** How many events have happened. */
    long happened() {
        return happened;
    }

    Trace trace() {
        return trace;
    }

    boolean retired() {
        return retired;
    }

    Event after(long nanos, Life life, Runnable action) {
        return add(now + Math.max(0, nanos), life, null, action);
    }

    /** Begins a task after that time. */
    Task begin(long nanos, Life life, String name, Runnable work, Runnable whenOver) {
        Task task = new Task(life, name, work, whenOver);
        task.wake = add(now + nanos, life, task, null);
        return task;
    }

    private Event add(long nanos, Life life, Task task, Runnable action) {
        if (events.size() >= MAX_EVENTS) {
            throw new Violation(MAX_EVENTS + " events wait: something grows without a limit");
        }
        Event event = new Event(nanos, number++, life, task, action);
        events.add(event);
        return event;
    }

    /** The task that is carried out; absent in an action. */
    Task running() {
        return running;
    }

    /** Blocks the running task. @return whether it was woken before that time */
    boolean block(long untilNanos) throws InterruptedException {
        Task me = running;
        if (me == null) {
            throw new IllegalStateException("what must not block does");
        }
        alive(me.life);
        if (me.takeInterrupt()) {
            throw new InterruptedException();
        }
        Event timeout = add(untilNanos, me.life, me, null);
        me.wake = timeout;
        running = null;
        blocked.add(me);
        drive(me.strand, me);
        blocked.remove(me);
        running = me;
        alive(me.life);
        boolean inTime = me.wake != timeout;
        if (me.takeInterrupt()) {
            throw new InterruptedException();
        }
        return inTime;
    }

    /** Wakes a blocked task; one that is not blocked, or woken already, is left. */
    void wake(Task task) {
        if (blocked.contains(task) && !task.wake.cancelled) {
            task.wake.cancelled = true;
            task.wake = add(now, task.life, task, null);
        }
    }

    void interrupt(Task task) {
        task.interrupt();
        wake(task);
    }

    /** Everything that was alive in it ends at once: its tasks are woken to find that out. */
    void end(Life life) {
        life.end();
        for (Task task : blocked) {
            if (task.life == life) {
                task.wake.cancelled = true;
                task.wake = add(now, life, task, null);
            }
        }
    }

    static void alive(Life life) {
        if (!life.alive()) {
            throw new Killed(life);
        }
    }

    /** No further event happens. */
    void stop() {
        stopped = true;
    }

    private void fail(Throwable cause) {
        if (failure == null) {
            failure = cause;
        }
        stopped = true;
    }

    /**
     * Lets the world go by until {@link #stop}, or until nothing happens any more.
     *
     * @return what went wrong first, or null
     */
    Throwable run(Runnable first) {
        after(0, new Life("world"), first);
        Strand strand = new Strand(this, strands++);
        strand.start();
        strand.give();
        over.acquireUninterruptibly();
        return failure;
    }

    void carryOut(Task task, Strand strand) {
        task.strand = strand;
        running = task;
        try {
            alive(task.life);
            task.run();
        } catch (Killed e) {
            // as it should be
        } catch (Throwable e) {
            if (task.life.alive()) {
                fail(e instanceof Violation ? e : new Violation("\"" + task.name + "\" has thrown " + e, e));
            }
        }
        Thread.interrupted();
        running = null;
        check();
    }

    /**
     * Carries out events until the turn is passed on, or a task is to be begun or gone on with here.
     *
     * @param waits the task that is blocked on this strand, if there is one
     */
    void drive(Strand self, Task waits) {
        while (true) {
            Event event = stopped ? unwind() : events.poll();
            if (event == null) {
                retire();
                return;
            }
            if (event.cancelled || postponed(event)) {
                continue;
            }
            now = Math.max(now, event.nanos);
            if (event.task == null) {
                act(event);
            } else if (event.task == waits) {
                happened++;
                return;
            } else if (event.task.strand != null) {
                happened++;
                pass(self, waits, event.task.strand);
                return;
            } else if (event.life.alive()) {
                happened++;
                if (waits == null) {
                    self.assign(event.task);
                } else {
                    Strand other = idle.isEmpty() ? made() : idle.pop();
                    other.assign(event.task);
                    pass(self, waits, other);
                }
                return;
            }
        }
    }

    private Strand made() {
        Strand made = new Strand(this, strands++);
        made.start();
        return made;
    }

    private void pass(Strand self, Task waits, Strand other) {
        if (waits == null) {
            idle.push(self);
        }
        other.give();
        self.awaitTurn();
    }

    private boolean postponed(Event event) {
        if (!stopped && event.life.alive() && event.life.pausedAt(event.nanos)) {
            event.nanos = event.life.pausedUntilNanos();
            events.add(event);
            return true;
        }
        return false;
    }

    private void act(Event event) {
        if (!event.life.alive()) {
            return;
        }
        happened++;
        try {
            event.action.run();
        } catch (Killed e) {
            // as it should be
        } catch (Throwable e) {
            if (event.life.alive()) {
                fail(e instanceof Violation ? e : new Violation("an action of " + event.life + " has thrown " + e, e));
            }
        }
        check();
    }

    private void check() {
        if (!stopped) {
            try {
                afterEach.run();
            } catch (Violation e) {
                fail(e);
            }
        }
    }

    /** Once the world is stopped: the blocked tasks, one after the other, so that their strands are free. */
    private Event unwind() {
        if (blocked.isEmpty()) {
            return null;
        }
        Task next = blocked.get(0);
        next.life.end();
        return new Event(now, number++, next.life, next, null);
    }

    private void retire() {
        retired = true;
        idle.forEach(Strand::give);
        over.release();
    }
}
