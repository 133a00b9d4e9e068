// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthPolicy.Judge;
import org.kmorph.api.health.HealthPolicy.Verdict;
import org.kmorph.api.health.Heartbeat;

/**
 * The detection of one instance's failure, pure: no clock, no thread, no socket. Every call brings the time; what is to be done comes
 * back as actions.
 *
 * <pre>
 *              heartbeat                         policy: failed
 *   UNKNOWN ──────────────> HEALTHY <──> SUSPECT ───────────────> asking the kernel
 *                                                     kernel answers │      │ gone, or silent
 *                                                                    ▼      ▼
 *                                                            AGENT_DEAD    FAILED
 * </pre>
 *
 * One that is never heard is SUSPECT after half of the time that its first answer may take, and then asked for as above. A heartbeat
 * brings any of them but FAILED back to HEALTHY; FAILED is final for this detector, for what follows it (fencing) must
 * not be raced by a late answer.
 */
final class Detector {
    /** For so long the monitor suspects itself when most instances and their kernels are silent. */
    static final long LONGEST_DOUBT = TimeUnit.SECONDS.toNanos(30);

    private final long startNanos;
    private final long firstAnswerNanos;
    private Judge judge;
    private long intervalNanos;
    private Health health = Health.UNKNOWN;
    private String reason = "not heard yet";
    private Kernel kernel = Kernel.NOT_ASKED;
    private Optional<Boolean> kernelAnswers = Optional.empty();
    private long askAgainNanos;
    private OptionalLong doubtedSinceNanos = OptionalLong.empty();
    private long nextHeartbeatNanos;
    private long latenessNanos;
    private boolean heard;
    private long bootId;

    /** Whether the kernel below a silent agent was found to answer. */
    enum Kernel {
        NOT_ASKED,
        ASKED,
        ANSWERS,
        GONE,
        SILENT
    }

    /** What the detector wants done. */
    sealed interface Action {
        /** Send a heartbeat now. */
        record SendHeartbeat() implements Action {}

        /** Ask the kernel below the agent, and report by {@link Detector#kernel}. */
        record AskKernel() implements Action {}

        /** Tell that the judgement has changed. */
        record Tell(Health before, Health after, String reason) implements Action {}

        /** The instance has another boot id: it rebooted without having been asked to. */
        record Rebooted(long before, long after) implements Action {}
    }

    /**
     * @param intervalNanos between heartbeats
     * @param firstAnswerNanos how long the first answer may take; only then is silence the policy's to judge
     * @param nowNanos the first heartbeat is due at once
     */
    Detector(Judge judge, long intervalNanos, long firstAnswerNanos, long nowNanos) {
        this.judge = judge;
        this.intervalNanos = intervalNanos;
        this.firstAnswerNanos = firstAnswerNanos;
        this.startNanos = nowNanos;
        this.nextHeartbeatNanos = nowNanos;
    }

    /** Another policy judges from now on. It knows what the caller has told it: the newest heartbeat. */
    void judgeBy(Judge other, long otherIntervalNanos) {
        judge = other;
        intervalNanos = otherIntervalNanos;
    }

    Health health() {
        return health;
    }

    String reason() {
        return reason;
    }

    /** Whether the kernel answered when it was last asked; empty when it was not, since the last heartbeat. */
    Optional<Boolean> kernelAnswers() {
        return kernelAnswers;
    }

    /** When {@link #tick} wants to be called next, if nothing is heard before; never again for one that has failed. */
    long nextNanos(long nowNanos) {
        if (health == Health.FAILED) {
            return Long.MAX_VALUE;
        }
        long verdict = judge.verdict(judged(nowNanos)).nextNanos();
        long next = verdict == Long.MAX_VALUE ? Long.MAX_VALUE : verdict + latenessNanos;
        if (kernel == Kernel.NOT_ASKED && askAgainNanos > nowNanos) {
            next = Math.min(next, askAgainNanos);
        }
        return Math.min(nextHeartbeatNanos, Math.max(next, nowNanos + 1));
    }

    /**
     * Time has passed.
     *
     * @param latenessNanos by how much the monitor itself was late, summed since the last heartbeat was heard: silence that is not the
     *     instance's
     * @param distrust whether so many are silent at once that the monitor suspects itself: nothing is then condemned by silence alone
     */
    List<Action> tick(long nowNanos, long latenessNanos, boolean distrust) {
        this.latenessNanos = latenessNanos;
        List<Action> actions = new ArrayList<>();
        if (health == Health.FAILED) {
            return actions;
        }
        if (nowNanos >= nextHeartbeatNanos) {
            actions.add(new Action.SendHeartbeat());
            nextHeartbeatNanos = Math.max(nextHeartbeatNanos + intervalNanos, nowNanos + intervalNanos / 2);
        }
        judge(nowNanos, distrust, actions);
        return actions;
    }

    private void judge(long nowNanos, boolean distrust, List<Action> actions) {
        Verdict verdict = judge.verdict(judged(nowNanos));
        switch (verdict.health()) {
            case FAILED -> condemn(nowNanos, verdict.reason(), distrust, actions);
            case SUSPECT -> become(Health.SUSPECT, verdict.reason(), actions);
            case UNKNOWN -> awaitFirst(nowNanos, distrust, actions);
            case HEALTHY, AGENT_DEAD -> become(verdict.health(), verdict.reason(), actions);
        }
    }

    /** An instance that was never heard may have died before it was watched: that silence has an end too. */
    private void awaitFirst(long nowNanos, boolean distrust, List<Action> actions) {
        long silent = judged(nowNanos) - startNanos;
        String why = "not heard for " + Settings.millis(silent) + " since it is watched, "
                + Settings.millis(firstAnswerNanos) + " allowed for the first answer";
        if (heard || silent < firstAnswerNanos / 2) {
            become(Health.UNKNOWN, "not heard yet", actions);
        } else if (silent < firstAnswerNanos) {
            become(Health.SUSPECT, why, actions);
        } else {
            condemn(nowNanos, why, distrust, actions);
        }
    }

    /** Silence alone is no proof: the kernel is asked first. One that answered is asked again at each interval. */
    private void condemn(long nowNanos, String why, boolean distrust, List<Action> actions) {
        if (kernel == Kernel.NOT_ASKED && nowNanos >= askAgainNanos) {
            kernel = Kernel.ASKED;
            actions.add(new Action.AskKernel());
        }
        switch (kernel) {
            case NOT_ASKED, ASKED -> {
                if (health != Health.AGENT_DEAD) {
                    become(Health.SUSPECT, why + "; asking its kernel", actions);
                }
            }
            case ANSWERS -> {
                become(Health.AGENT_DEAD, why + "; its kernel answers", actions);
                askAgain(nowNanos);
            }
            case GONE -> become(Health.FAILED, why + "; nothing listens there any more", actions);
            case SILENT -> {
                if (distrust && doubts(nowNanos)) {
                    become(Health.SUSPECT, why + "; but most are silent, so the monitor may be at fault", actions);
                    askAgain(nowNanos);
                } else {
                    become(Health.FAILED, why + "; its kernel is silent too", actions);
                }
            }
        }
    }

    /** Doubt in oneself has an end: kernels that died together are never heard again. */
    private boolean doubts(long nowNanos) {
        doubtedSinceNanos = doubtedSinceNanos.isPresent() ? doubtedSinceNanos : OptionalLong.of(nowNanos);
        return nowNanos - doubtedSinceNanos.getAsLong() < LONGEST_DOUBT;
    }

    private void askAgain(long nowNanos) {
        kernel = Kernel.NOT_ASKED;
        askAgainNanos = nowNanos + intervalNanos;
    }

    /** A heartbeat was answered. */
    List<Action> heard(Heartbeat heartbeat) {
        List<Action> actions = new ArrayList<>();
        if (health == Health.FAILED) {
            return actions;
        }
        if (bootId != 0 && bootId != heartbeat.bootId()) {
            actions.add(new Action.Rebooted(bootId, heartbeat.bootId()));
        }
        bootId = heartbeat.bootId();
        heard = true;
        latenessNanos = 0;
        kernel = Kernel.NOT_ASKED;
        kernelAnswers = Optional.empty();
        askAgainNanos = 0;
        doubtedSinceNanos = OptionalLong.empty();
        judge.heard(heartbeat);
        become(Health.HEALTHY, "answers", actions);
        return actions;
    }

    /** The kernel was asked. */
    List<Action> kernel(Kernel answer, long nowNanos, boolean distrust) {
        List<Action> actions = new ArrayList<>();
        if (kernel == Kernel.ASKED && health != Health.FAILED) {
            kernel = answer;
            kernelAnswers = Optional.of(answer == Kernel.ANSWERS);
            judge(nowNanos, distrust, actions);
        }
        return actions;
    }

    /** The kernel could not be asked, for a reason of the monitor's own: that says nothing, and is tried again. */
    void cannotAsk(long nowNanos) {
        if (kernel == Kernel.ASKED) {
            askAgain(nowNanos);
        }
    }

    /** Its host has seen it end: no silence needs to be waited for. */
    List<Action> ended(String how) {
        List<Action> actions = new ArrayList<>();
        if (health != Health.FAILED) {
            kernelAnswers = Optional.of(false);
            become(Health.FAILED, how, actions);
        }
        return actions;
    }

    /** The time as the judge is to see it: what the monitor was late is not the instance's silence. */
    private long judged(long nowNanos) {
        return nowNanos - latenessNanos;
    }

    private void become(Health now, String why, List<Action> actions) {
        Health before = health;
        health = now;
        reason = why;
        if (before != now) {
            actions.add(new Action.Tell(before, now, why));
        }
    }
}
