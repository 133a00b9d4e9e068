// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;

/** Faults where work goes from one kernel to another. */
final class PlantedMoves {
    private PlantedMoves() {}

    /** Where there is a standby, what it stands by for is only put aside. */
    static final class Unfenced extends ForwardingInstances {
        private final Set<Integer> believedGone = new HashSet<>();

        Unfenced(Instances instances) {
            super(instances);
        }

        private boolean hasStandby(String name) {
            return instances
                    .find(name + "-b")
                    .filter(one -> one.state() == InstanceState.RUNNING)
                    .isPresent();
        }

        @Override
        public Optional<Instance> find(String name) {
            return instances.find(name).filter(one -> !believedGone.contains(one.id()));
        }

        @Override
        public Instance fence(String name, String why, Duration timeout)
                throws InstanceException, InterruptedException {
            return hasStandby(name) ? instances.find(name).orElseThrow() : super.fence(name, why, timeout);
        }

        @Override
        public void release(String name) throws InstanceException, InterruptedException {
            if (hasStandby(name)) {
                instances.find(name).ifPresent(one -> believedGone.add(one.id()));
            } else {
                super.release(name);
            }
        }

        @Override
        public Instance promote(String standby, String name) throws InstanceException, InterruptedException {
            return instances.find(name).isPresent()
                    ? instances.succeed(name, standby, name + "-unfenced")
                    : super.promote(standby, name);
        }
    }

    /** A new kernel that could not be ended for certain is taken for gone. */
    static final class HeldForgotten extends ForwardingInstances {
        private final Set<Integer> believedGone = new HashSet<>();

        HeldForgotten(Instances instances) {
            super(instances);
        }

        @Override
        public Optional<Instance> find(String name) {
            return instances.find(name).filter(one -> !believedGone.contains(one.id()));
        }

        @Override
        public void terminate(String name, boolean force, Duration timeout)
                throws InstanceException, InterruptedException {
            try {
                super.terminate(name, force, timeout);
            } catch (InstanceException e) {
                instances.find(name).ifPresent(one -> believedGone.add(one.id()));
            }
        }
    }

    /** The new kernel keeps its own name. */
    static final class Nameless extends ForwardingInstances {
        Nameless(Instances instances) {
            super(instances);
        }

        @Override
        public Instance succeed(String name, String successor, String aside) {
            return instances.find(successor).orElseThrow();
        }
    }

    /** A journal that keeps only what is waited for. */
    static final class NothingNoted implements Journal {
        private final Journal journal;

        NothingNoted(Journal journal) {
            this.journal = journal;
        }

        @Override
        public long append(List<Entry> entries) throws JournalException {
            return journal.append(entries);
        }

        @Override
        public void note(Entry entry) {
            // it will be written with what comes next
        }

        @Override
        public List<JournalRecord> read(Query query) throws JournalException {
            return journal.read(query);
        }

        @Override
        public List<JournalRecord> latest(String kind) throws JournalException {
            return journal.latest(kind);
        }
    }

    /** A clock that goes once a minute. */
    static final class Coarse implements TimeSource {
        private static final long MINUTE_NANOS = 60_000_000_000L;

        private final TimeSource time;

        Coarse(TimeSource time) {
            this.time = time;
        }

        @Override
        public long nanos() {
            return time.nanos() / MINUTE_NANOS * MINUTE_NANOS;
        }

        @Override
        public Instant now() {
            return time.now();
        }

        @Override
        public void sleep(Duration span) throws InterruptedException {
            time.sleep(span);
        }

        @Override
        public <T> T await(CompletableFuture<T> future, Duration patience)
                throws InterruptedException, ExecutionException, TimeoutException {
            return time.await(future, patience);
        }
    }

    /** A client by which nobody leaves it open whether he has let go in this phase, or says that he has not. */
    record Assuming(KmpClient client, CommitPhase phase, OperationState gone) implements KmpClient {
        static Assuming released(KmpClient client) {
            return new Assuming(client, CommitPhase.HAND_OVER, OperationState.RELEASED);
        }

        static Assuming releasedHere(KmpClient client) {
            return new Assuming(client, CommitPhase.RELEASE, OperationState.RELEASED);
        }

        static Assuming givenBack(KmpClient client) {
            return new Assuming(client, CommitPhase.GIVE_BACK, OperationState.ROLLED_BACK);
        }

        @Override
        public KmpSession open(Endpoint peer, long instanceId, Duration connectDeadline, SessionListener listener) {
            return new AssumingSession(client.open(peer, instanceId, connectDeadline, listener), phase, gone);
        }
    }

    private record AssumingSession(KmpSession session, CommitPhase phase, OperationState gone) implements KmpSession {
        @Override
        public <A extends Message> CompletableFuture<A> request(Message request, Class<A> answer, Duration deadline) {
            CompletableFuture<A> asked = session.request(request, answer, deadline);
            return request instanceof MorphCommit commit && commit.phase() == phase
                    ? asked.handle((said, failure) ->
                            answer.cast(new CommitAnswer(commit.operation(), gone, Verdict.NONE, 0, 0, List.of())))
                    : asked;
        }

        @Override
        public <A extends Message> CompletableFuture<A> requestOnce(
                Message request, Class<A> answer, Duration deadline) {
            return session.requestOnce(request, answer, deadline);
        }

        @Override
        public Endpoint peer() {
            return session.peer();
        }

        @Override
        public boolean connected() {
            return session.connected();
        }

        @Override
        public boolean heartbeat(int wants) {
            return session.heartbeat(wants);
        }

        @Override
        public void reset(String why) {
            session.reset(why);
        }

        @Override
        public void close() {
            session.close();
        }
    }
}
