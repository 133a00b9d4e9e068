// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.transport.Transport.Reach;
import org.kmorph.health.Detector.Action;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.KernelRelease;
import org.kmorph.kmp.message.HealthStatus;
import org.kmorph.kmp.message.Want;
import org.kmorph.kmpclient.HeartbeatReceipt;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;

/**
 * One instance that is watched: the shell around its {@link Detector}. Ticks come from the monitor's timer, heartbeats from a
 * transport's event loop, probes from anywhere; its own lock makes one sequence of them. What follows is told after it is let go.
 */
final class Watch implements SessionListener, AutoCloseable {
    private final Instance instance;
    private final WatchSurroundings surroundings;
    private final KmpSession session;
    private final Figures figures = new Figures();
    private final Troubles troubles = new Troubles();
    private Detector detector;
    private Judgement judgement;
    private final Deque<Heartbeat> last = new ArrayDeque<>(HealthReport.HEARTBEATS);
    private Optional<String> end = Optional.empty();
    private Optional<String> kernelRelease = Optional.empty();
    private boolean awaiting;
    private boolean askForRelease = true;
    private long sent;
    private long missed;
    private long latenessWhenHeard;
    private long repeatedNanos;
    private Health counted = Health.UNKNOWN;
    private boolean closed;

    /** @param first how it is judged at first */
    Watch(Instance instance, Judgement first, WatchSurroundings surroundings) {
        this.instance = instance;
        this.surroundings = surroundings;
        this.judgement = first;
        long now = surroundings.time().nanos();
        this.detector = new Detector(first.judge(), first.intervalNanos(), first.firstAnswerNanos(), now);
        this.latenessWhenHeard = surroundings.lateness().getAsLong();
        this.repeatedNanos = now - first.intervalNanos();
        this.session = surroundings.sessions().open(instance, this);
        surroundings.crowd().joined();
    }

    Instance instance() {
        return instance;
    }

    KmpSession session() {
        return session;
    }

    /** Takes over what the monitor's predecessor knew, so that replacing it loses nothing. */
    void resume(HealthReport known) {
        List<Action> actions;
        synchronized (this) {
            figures.resume(known.windows(), surroundings.time().nanos());
            kernelRelease = known.kernelRelease();
            known.heartbeats().forEach(this::remember);
            end = known.end();
            sent = known.sent();
            missed = known.missed();
            actions = known.health() == Health.FAILED ? detector.ended(known.reason()) : List.of();
            count();
        }
        // whoever is to know was told by the predecessor
        actions.stream().filter(action -> !(action instanceof Action.Tell)).forEach(this::act);
    }

    /**
     * Time has passed.
     *
     * @return when to come again
     */
    long tick(long nowNanos, boolean distrust) {
        List<Action> actions;
        long next;
        synchronized (this) {
            if (closed) {
                return Long.MAX_VALUE;
            }
            actions = detector.tick(nowNanos, surroundings.lateness().getAsLong() - latenessWhenHeard, distrust);
            next = detector.nextNanos(nowNanos);
            count();
        }
        actions.forEach(this::act);
        return next;
    }

    /** Judges by another policy, or by the same with other settings. */
    void judgeBy(Judgement other) {
        synchronized (this) {
            Optional.ofNullable(last.peekLast())
                    .ifPresent(heartbeat -> other.judge().heard(heartbeat));
            judgement = other;
            detector.judgeBy(other.judge(), other.intervalNanos());
        }
    }

    synchronized Judgement judgement() {
        return judgement;
    }

    @Override
    public void heartbeat(HeartbeatReceipt receipt) {
        List<Action> actions;
        synchronized (this) {
            if (closed) {
                return;
            }
            Heartbeat heartbeat = figures.record(receipt);
            remember(heartbeat);
            awaiting = false;
            latenessWhenHeard = surroundings.lateness().getAsLong();
            troubles.hold(receipt.figures().trouble());
            if (askForRelease) {
                Items.first(receipt.items(), KernelRelease.class).ifPresent(item -> {
                    kernelRelease = Optional.of(item.release());
                    askForRelease = false;
                });
            }
            actions = detector.heard(heartbeat);
            count();
        }
        actions.forEach(this::act);
    }

    private void remember(Heartbeat heartbeat) {
        if (last.size() == HealthReport.HEARTBEATS) {
            last.removeFirst();
        }
        last.addLast(heartbeat);
    }

    @Override
    public void connected() {
        synchronized (this) {
            askForRelease = true;
        }
    }

    /**
     * The answer to a heartbeat that was under way does not come any more, though the instance may be well: its transport is replaced,
     * say. It is asked again at once, on a new connection; at most once in an interval, should it go on to hang up.
     */
    @Override
    public void lost(String why) {
        boolean again;
        synchronized (this) {
            long now = surroundings.time().nanos();
            again = awaiting
                    && !closed
                    && detector.health() != Health.FAILED
                    && now - repeatedNanos >= judgement.intervalNanos();
            repeatedNanos = again ? now : repeatedNanos;
        }
        if (again) {
            sendHeartbeat();
        }
    }

    @Override
    public void healthStatus(HealthStatus status) {
        Optional<String> told;
        synchronized (this) {
            told = closed ? Optional.empty() : troubles.reported(status);
        }
        told.ifPresent(trouble -> surroundings.tell().troubled(this, trouble));
    }

    /** Its host has seen it end. */
    void ended(String how) {
        List<Action> actions;
        synchronized (this) {
            end = Optional.of(how);
            actions = detector.ended(how);
            count();
        }
        actions.forEach(this::act);
    }

    private void act(Action action) {
        if (action instanceof Action.SendHeartbeat) {
            sendHeartbeat();
        } else if (action instanceof Action.AskKernel) {
            // the agent may have forgotten the connection, and a line that is cut tells nobody: the next heartbeat
            // makes another
            session.reset("no heartbeat was answered in time");
            surroundings
                    .sessions()
                    .probe(instance, probeDeadline())
                    .whenComplete((reach, failure) -> kernel(Optional.ofNullable(reach)));
        } else if (action instanceof Action.Tell tell) {
            surroundings.tell().changed(this, tell.before(), tell.reason());
        } else if (action instanceof Action.Rebooted) {
            synchronized (this) {
                askForRelease = true;
            }
            surroundings.tell().rebooted(this);
        }
    }

    private void sendHeartbeat() {
        int wants;
        synchronized (this) {
            missed += awaiting ? 1 : 0;
            awaiting = true;
            sent++;
            wants = askForRelease ? Want.KERNEL_RELEASE : 0;
        }
        session.heartbeat(wants);
    }

    private synchronized Duration probeDeadline() {
        return Duration.ofNanos(judgement.probeNanos());
    }

    private void kernel(Optional<Reach> reach) {
        List<Action> actions = new ArrayList<>();
        synchronized (this) {
            if (closed) {
                return;
            }
            long now = surroundings.time().nanos();
            if (reach.isEmpty()) {
                detector.cannotAsk(now);
            } else {
                Detector.Kernel answer =
                        switch (reach.get()) {
                            case ANSWERS -> Detector.Kernel.ANSWERS;
                            case GONE -> Detector.Kernel.GONE;
                            case SILENT -> Detector.Kernel.SILENT;
                        };
                actions = detector.kernel(answer, now, surroundings.crowd().distrustsItself());
            }
            count();
        }
        actions.forEach(this::act);
    }

    /** Keeps the crowd's count true. Locked. */
    private void count() {
        if (!closed) {
            surroundings.crowd().moved(counted, detector.health());
            counted = detector.health();
        }
    }

    synchronized Health health() {
        return detector.health();
    }

    synchronized HealthReport report() {
        List<String> texts = new ArrayList<>(troubles.texts());
        judgement.instead().ifPresent(texts::add);
        return new HealthReport(
                instance.name(),
                instance.id(),
                detector.health(),
                detector.reason(),
                end,
                judgement.policy(),
                detector.kernelAnswers(),
                kernelRelease,
                List.copyOf(last),
                List.copyOf(texts),
                sent,
                missed,
                figures.windows(surroundings.time().nanos()));
    }

    /** Watches no more. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            surroundings.crowd().left(counted);
            closed = true;
        }
        session.close();
    }
}
