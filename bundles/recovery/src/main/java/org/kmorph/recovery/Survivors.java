// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmp.item.InstanceEntry;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.OperationMessage;
import org.kmorph.kmp.message.Outcome;
import org.kmorph.kmp.message.RecoverComplete;
import org.kmorph.kmp.message.RecoverPrepare;
import org.kmorph.kmp.message.RecoverReclaim;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpException;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;

/** Tells the other kernels of a recovery: docs/kmp.md, Recovery. All at once, and no longer than {@link #DEADLINE}. */
final class Survivors {
    /** What a survivor that does not answer costs. */
    static final Duration DEADLINE = Duration.ofSeconds(1);

    /** Sessions keep their deadlines themselves; this is for one that does not. */
    private static final Duration PATIENCE = DEADLINE.multipliedBy(2);

    private final KmpClient client;
    private final TimeSource time;

    Survivors(KmpClient client, TimeSource time) {
        this.client = client;
        this.time = time;
    }

    String prepare(List<Instance> all, Patient patient, long generation) throws InterruptedException {
        return tell(
                all,
                patient,
                new RecoverPrepare(
                        patient.operation(),
                        patient.instanceId(),
                        patient.cause(),
                        patient.bootId(),
                        generation,
                        List.of()));
    }

    String reclaim(List<Instance> all, Patient patient, long generation) throws InterruptedException {
        return tell(all, patient, new RecoverReclaim(patient.operation(), patient.instanceId(), generation, List.of()));
    }

    String complete(List<Instance> all, Patient patient, long successor, Outcome outcome, long generation)
            throws InterruptedException {
        List<Item> topology = all.stream()
                .<Item>map(one ->
                        new InstanceEntry(one.id(), one.contextId(), one.state() == InstanceState.RUNNING, one.name()))
                .toList();
        return tell(
                all,
                patient,
                new RecoverComplete(
                        patient.operation(), patient.instanceId(), successor, outcome, generation, topology));
    }

    /** @return the names of those that did not answer; an agent of a former version, which takes no part in recoveries, says so, which is an answer */
    private String tell(List<Instance> all, Patient patient, OperationMessage message) throws InterruptedException {
        Map<String, CompletableFuture<OperationAnswer>> answers = new LinkedHashMap<>();
        List<KmpSession> sessions = new ArrayList<>();
        for (Instance instance : all) {
            if (instance.id() != patient.instanceId()
                    && instance.state() == InstanceState.RUNNING
                    && instance.endpoint().isPresent()) {
                KmpSession session =
                        client.open(instance.endpoint().get(), instance.id(), DEADLINE, new SessionListener() {});
                sessions.add(session);
                answers.put(instance.name(), session.request(message, OperationAnswer.class, DEADLINE));
            }
        }
        List<String> silent = new ArrayList<>();
        try {
            for (Map.Entry<String, CompletableFuture<OperationAnswer>> answer : answers.entrySet()) {
                if (!answered(answer.getValue())) {
                    silent.add(answer.getKey());
                }
            }
        } finally {
            sessions.forEach(KmpSession::close);
        }
        return String.join(", ", silent);
    }

    private boolean answered(CompletableFuture<OperationAnswer> answer) throws InterruptedException {
        try {
            time.await(answer, PATIENCE);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return e.getCause() instanceof KmpException failure && failure.reason() == KmpException.Reason.REFUSED;
        }
    }
}
