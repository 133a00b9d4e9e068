// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.Objects;
import java.util.function.Consumer;
import org.kmorph.api.health.HealthPolicy.Judge;
import org.kmorph.api.health.HealthPolicy.Verdict;
import org.kmorph.api.health.Heartbeat;

/** A judge that may come from anywhere: once it throws another one judges, which has heard all that it has. */
final class GuardedJudge implements Judge {
    private final Judge fallback;
    private final Consumer<RuntimeException> told;
    private Judge judge;

    GuardedJudge(Judge judge, Judge fallback, Consumer<RuntimeException> told) {
        this.judge = judge;
        this.fallback = fallback;
        this.told = told;
    }

    @Override
    public void heard(Heartbeat heartbeat) {
        fallback.heard(heartbeat);
        if (judge != fallback) {
            try {
                judge.heard(heartbeat);
            } catch (RuntimeException e) {
                failed(e);
            }
        }
    }

    @Override
    public Verdict verdict(long nowNanos) {
        if (judge != fallback) {
            try {
                return Objects.requireNonNull(judge.verdict(nowNanos), "no verdict");
            } catch (RuntimeException e) {
                failed(e);
            }
        }
        return fallback.verdict(nowNanos);
    }

    private void failed(RuntimeException failure) {
        judge = fallback;
        told.accept(failure);
    }
}
