// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.HeartbeatAnswer;
import org.kmorph.kmp.message.HeartbeatRequest;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.MorphPrepare;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.WorkloadState;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;

/**
 * Asks agents whether they hold their workload back, and has them start it: as the target of a move in which no state moves (docs/kmp.md).
 * Blocks, for at most twice {@link #DEADLINE} a question.
 */
final class Standby {
    private static final Duration DEADLINE = Duration.ofSeconds(2);

    /** After so much without an ACTIVATE the agent forgets that it was prepared. */
    private static final Duration EXPIRES = Duration.ofSeconds(30);

    private final KmpClient client;
    private final TimeSource time;

    Standby(KmpClient client, TimeSource time) {
        this.client = client;
        this.time = time;
    }

    /** Why it cannot take over, for people; empty when it can. */
    Optional<String> obstacle(Instance standby) throws InterruptedException {
        if (standby.state() != InstanceState.RUNNING || standby.endpoint().isEmpty()) {
            return Optional.of("it is " + standby.state());
        }
        try (KmpSession session = open(standby)) {
            WorkloadState state = workload(session);
            return state == WorkloadState.HELD
                    ? Optional.empty()
                    : Optional.of("its workload is " + state + ", not HELD; spawn it with --standby-for");
        } catch (ExecutionException | TimeoutException e) {
            return Optional.of("its agent does not answer: " + reason(e));
        }
    }

    /**
     * Sees to it that the workload of an instance is not held back. Made again, it changes nothing.
     *
     * @return why it is not so, for people
     */
    Optional<String> activate(Instance bearer, UUID operation) throws InterruptedException {
        if (bearer.endpoint().isEmpty()) {
            return Optional.empty();
        }
        try (KmpSession session = open(bearer)) {
            if (workload(session) != WorkloadState.HELD) {
                return Optional.empty();
            }
            await(session.request(
                    new MorphPrepare(
                            operation, Role.TARGET, MorphPrepare.COLD, EXPIRES.toMillis(), bearer.id(), List.of()),
                    OperationAnswer.class,
                    DEADLINE));
            await(session.request(
                    new MorphCommit(operation, CommitPhase.ACTIVATE, 0, List.of()), CommitAnswer.class, DEADLINE));
            return Optional.empty();
        } catch (ExecutionException | TimeoutException e) {
            return Optional.of("its workload could not be started: " + reason(e));
        }
    }

    private KmpSession open(Instance instance) {
        return client.open(instance.endpoint().orElseThrow(), instance.id(), DEADLINE, new SessionListener() {});
    }

    private WorkloadState workload(KmpSession session)
            throws InterruptedException, ExecutionException, TimeoutException {
        return await(session.request(new HeartbeatRequest(0, List.of()), HeartbeatAnswer.class, DEADLINE))
                .workloadState();
    }

    /** Sessions keep their deadlines themselves; this is for one that does not. */
    private <T> T await(CompletableFuture<T> answer) throws InterruptedException, ExecutionException, TimeoutException {
        return time.await(answer, DEADLINE.multipliedBy(2));
    }

    private static String reason(Exception failure) {
        Throwable cause = failure instanceof ExecutionException ? failure.getCause() : failure;
        return Optional.ofNullable(cause.getMessage()).orElseGet(cause::toString);
    }
}
