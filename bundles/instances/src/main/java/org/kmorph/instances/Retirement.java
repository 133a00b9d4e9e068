// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.time.Randomness;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks an instance's agent to stop its workload: SIGTERM, and SIGKILL after a grace (docs/kmp.md, phase RETIRE). A courtesy: whether it
 * was heard or not, the instance is fenced afterwards.
 */
final class Retirement {
    private static final Logger LOG = LoggerFactory.getLogger(Retirement.class);

    private static final Duration GRACE = Duration.ofSeconds(10);

    /** Beyond the grace: for SIGKILL to take effect and the answer to come. */
    private static final Duration ANSWER = Duration.ofSeconds(1);

    private static final Duration CONNECT = Duration.ofSeconds(2);

    private final Supplier<KmpClient> client;
    private final TimeSource time;
    private final Randomness randomness;

    Retirement(Supplier<KmpClient> client, TimeSource time, Randomness randomness) {
        this.client = client;
        this.time = time;
        this.randomness = randomness;
    }

    /** Returns when the workload has stopped, or half of the patience is over, or there is nobody to ask. */
    void ask(Instance instance, Duration patience) throws InterruptedException {
        if (instance.endpoint().isEmpty()) {
            return;
        }
        Duration half = patience.dividedBy(2);
        Duration grace = half.minus(ANSWER).compareTo(GRACE) < 0 ? half.minus(ANSWER) : GRACE;
        if (grace.isNegative() || grace.isZero()) {
            return;
        }
        MorphCommit retire = new MorphCommit(
                new UUID(randomness.nextLong(), randomness.nextLong()),
                CommitPhase.RETIRE,
                TimeUnit.NANOSECONDS.toMicros(grace.toNanos()),
                List.of());
        Duration deadline = grace.plus(ANSWER);
        try (KmpSession session =
                client.get().open(instance.endpoint().get(), instance.id(), CONNECT, new SessionListener() {})) {
            time.await(session.requestOnce(retire, CommitAnswer.class, deadline), deadline);
        } catch (ExecutionException | TimeoutException e) {
            LOG.info("instance \"{}\": its workload was not stopped in peace: {}", instance.name(), e.getMessage());
        }
    }
}
