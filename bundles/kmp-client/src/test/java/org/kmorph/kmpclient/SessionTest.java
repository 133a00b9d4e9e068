// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.kmorph.kmp.FrameEncoder;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Text;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.AgentState;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.HealthStatus;
import org.kmorph.kmp.message.HeartbeatAnswer;
import org.kmorph.kmp.message.HeartbeatRequest;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.Outcome;
import org.kmorph.kmp.message.RetryAnswer;
import org.kmorph.kmp.message.Severity;
import org.kmorph.kmp.message.VmcoreComplete;
import org.kmorph.kmp.message.WorkloadState;
import org.kmorph.kmpclient.KmpException.Reason;

class SessionTest {
    private static final UUID OPERATION = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
    private static final Duration LONG = Duration.ofMinutes(10);

    private final World world = new World();

    @Test
    void nothing_is_connected_before_something_is_sent_and_one_connection_serves_all() throws Exception {
        Session session = world.session();
        assertThat(world.wires).isEmpty();

        CompletableFuture<CommitAnswer> first = session.request(query(), CommitAnswer.class, LONG);
        CompletableFuture<CommitAnswer> second = session.request(query(), CommitAnswer.class, LONG);
        World.Received one = world.wire().received.remove();
        World.Received two = world.wire().received.remove();
        world.wire().say(state(OperationState.RELEASED), two.sequence());
        world.wire().say(state(OperationState.FROZEN), one.sequence());

        assertThat(first.get().state()).isEqualTo(OperationState.FROZEN);
        assertThat(second.get().state()).isEqualTo(OperationState.RELEASED);
        assertThat(world.wires).hasSize(1);
        assertThat(world.timed()).as("timers left").isZero();
    }

    @Test
    void a_heartbeat_waits_for_the_connection_and_is_timed_from_when_it_is_sent() {
        Session session = world.session();
        world.connects = false;
        assertThat(session.heartbeat(0)).isTrue();
        world.pass(Duration.ofMillis(300));
        world.wire().open();
        world.pass(Duration.ofMillis(4));
        world.wire().say(heartbeat(World.ID), world.wire().received.remove().sequence());

        assertThat(world.events).containsExactly("connected", "heartbeat after 4 ms");
    }

    @Test
    void an_answered_heartbeat_is_told_once_however_often_it_is_answered() {
        Session session = world.session();
        session.heartbeat(0);
        int sequence = world.wire().received.remove().sequence();
        world.wire().say(heartbeat(World.ID), sequence);
        world.wire().say(heartbeat(World.ID), sequence);
        world.wire().say(heartbeat(World.ID), sequence + 1);

        assertThat(world.events).containsExactly("connected", "heartbeat after 0 ms");
    }

    @Test
    void only_the_newest_unanswered_heartbeats_are_remembered() {
        Session session = world.session();
        for (int i = 0; i < 65; i++) {
            session.heartbeat(0);
        }
        int oldest = world.wire().received.getFirst().sequence();
        int newest = world.wire().received.getLast().sequence();
        world.wire().say(heartbeat(World.ID), oldest);
        assertThat(world.events).containsExactly("connected");
        world.wire().say(heartbeat(World.ID), newest);
        assertThat(world.events).hasSize(2);
    }

    @Test
    void an_agent_that_lies_about_its_id_is_dropped_by_heartbeat_by_health_status_and_by_ping() {
        Session session = world.session();
        session.heartbeat(0);
        world.wire().say(heartbeat(9), world.wire().received.remove().sequence());
        session.heartbeat(0);
        world.wire().say(trouble(9), 1);
        CompletableFuture<HeartbeatAnswer> ping =
                session.requestOnce(new HeartbeatRequest(0, List.of()), HeartbeatAnswer.class, LONG);
        world.wire().say(heartbeat(9), world.wire().received.getLast().sequence());

        String lie = "lost: the agent says that it is instance 9; instance 7 is expected at test:agent";
        assertThat(world.events).containsExactly("connected", lie, "connected", lie, "connected");
        assertThat(reason(ping)).isEqualTo(Reason.WRONG_ANSWER);
    }

    @Test
    void trouble_that_the_agent_reports_comes_to_the_listener() {
        List<HealthStatus> told = new ArrayList<>();
        Session session = world.session(new SessionListener() {
            @Override
            public void healthStatus(HealthStatus status) {
                told.add(status);
            }
        });
        session.heartbeat(0);
        world.wire().say(trouble(World.ID), 1);
        assertThat(told).containsExactly(trouble(World.ID));
    }

    @Test
    void an_error_fails_the_request_with_the_agents_own_word() {
        CompletableFuture<CommitAnswer> answer = world.session().request(query(), CommitAnswer.class, LONG);
        ErrorAnswer error = new ErrorAnswer(ErrorCode.WRONG_STATE, 0x0205, 1, 1, 5, List.of(new Text("not\nnow")));
        world.wire().say(error, world.wire().received.remove().sequence());

        assertThat(failure(answer))
                .hasMessage("MORPH_COMMIT to instance 7 at test:agent: the agent answers WRONG_STATE (5): not?now");
        assertThat(failure(answer).error()).contains(error);
        assertThat(failure(answer).errorCode()).isEqualTo(ErrorCode.WRONG_STATE);
    }

    @Test
    void a_request_is_repeated_after_the_patience_that_was_asked_for_and_fails_after_eight_repetitions() {
        CompletableFuture<CommitAnswer> answer = world.session().request(query(), CommitAnswer.class, LONG);
        for (int repetition = 0; repetition < 9; repetition++) {
            assertThat(answer).isNotDone();
            assertThat(world.wire().received).as("repetition " + repetition).hasSize(1);
            retry(world.wire().received.remove().sequence());
            world.pass(Duration.ofMillis(199));
            assertThat(world.wire().received).isEmpty();
            world.pass(Duration.ofMillis(1 + Math.min(2500, 25 << repetition)));
        }
        assertThat(reason(answer)).isEqualTo(Reason.RETRY);
        assertThat(world.timed()).isZero();
    }

    @Test
    void a_request_that_is_sent_once_is_not_repeated() {
        Session session = world.session();
        CompletableFuture<CommitAnswer> patience = session.requestOnce(query(), CommitAnswer.class, LONG);
        retry(world.wire().received.remove().sequence());
        assertThat(failure(patience).retryMillis()).isEqualTo(200);

        CompletableFuture<CommitAnswer> cut = session.requestOnce(query(), CommitAnswer.class, LONG);
        world.wire().breakOff("gone");
        assertThat(reason(cut)).isEqualTo(Reason.LOST);
        world.pass(Duration.ofMinutes(1));
        assertThat(world.wires).hasSize(1);
    }

    @Test
    void a_lost_connection_is_made_again_and_the_request_repeated_on_it() throws Exception {
        CompletableFuture<CommitAnswer> answer = world.session().request(query(), CommitAnswer.class, LONG);
        world.wire().breakOff("the agent closed the connection");
        world.pass(Duration.ofMillis(50));
        assertThat(world.wires).hasSize(2);
        world.wire()
                .say(
                        state(OperationState.FROZEN),
                        world.wire().received.remove().sequence());

        assertThat(answer.get().state()).isEqualTo(OperationState.FROZEN);
        assertThat(world.events).containsExactly("connected", "lost: the agent closed the connection", "connected");
    }

    @Test
    void silence_gives_the_connection_up_and_repeats_the_request_on_another() throws Exception {
        CompletableFuture<CommitAnswer> answer = world.session().request(query(), CommitAnswer.class, LONG);
        world.pass(Duration.ofMillis(1999));
        assertThat(world.wire().closed).isEmpty();
        world.pass(Duration.ofMillis(51));
        assertThat(world.wires.get(0).closed).contains("MORPH_COMMIT was not answered within 2000 ms");
        world.wire()
                .say(
                        state(OperationState.FROZEN),
                        world.wire().received.remove().sequence());
        assertThat(answer.get().state()).isEqualTo(OperationState.FROZEN);
    }

    @Test
    void the_callers_deadline_ends_a_request_and_leaves_the_connection() {
        Session session = world.session();
        CompletableFuture<CommitAnswer> answer = session.request(query(), CommitAnswer.class, Duration.ofMillis(500));
        int sequence = world.wire().received.remove().sequence();
        world.pass(Duration.ofMillis(500));
        assertThat(reason(answer)).isEqualTo(Reason.TIMED_OUT);
        world.wire().say(state(OperationState.FROZEN), sequence);
        assertThat(session.connected()).isTrue();
        assertThat(world.timed()).isZero();
    }

    @Test
    void an_agent_that_cannot_be_reached_fails_a_request_in_the_end() {
        world.connects = false;
        CompletableFuture<CommitAnswer> answer = world.session().request(query(), CommitAnswer.class, LONG);
        for (int i = 0; i < 9; i++) {
            world.wire().breakOff("nothing listens there");
            world.pass(Duration.ofSeconds(5));
        }
        assertThat(failure(answer)).hasMessage("MORPH_COMMIT to instance 7 at test:agent: nothing listens there");
        assertThat(world.wires).hasSize(9);
    }

    @Test
    void without_a_transport_the_message_says_what_is_missing() {
        Surroundings none = new Surroundings(world, () -> 0, world, scheme -> Optional.empty(), () -> 0);
        Session session = new Session(World.PEER, World.ID, LONG, new SessionListener() {}, none, closed -> {});
        CompletableFuture<CommitAnswer> answer = session.requestOnce(query(), CommitAnswer.class, LONG);
        assertThat(failure(answer)).hasMessageContaining("no transport for test is installed");
    }

    @Test
    void answers_to_nothing_or_of_the_wrong_kind_or_operation_harm_nobody() {
        Session session = world.session();
        CompletableFuture<CommitAnswer> wrongKind = session.request(query(), CommitAnswer.class, LONG);
        CompletableFuture<CommitAnswer> wrongOperation = session.request(query(), CommitAnswer.class, LONG);
        CompletableFuture<CommitAnswer> other = session.request(query(), CommitAnswer.class, LONG);
        int first = world.wire().received.remove().sequence();
        int second = world.wire().received.remove().sequence();
        world.wire().say(state(OperationState.FROZEN), 12345);
        world.wire().say(heartbeat(World.ID), first);
        world.wire()
                .say(new CommitAnswer(UUID.randomUUID(), OperationState.FROZEN, Verdict.NONE, 0, 0, List.of()), second);

        assertThat(reason(wrongKind)).isEqualTo(Reason.WRONG_ANSWER);
        assertThat(reason(wrongOperation)).isEqualTo(Reason.WRONG_ANSWER);
        assertThat(other).isNotDone();
        assertThat(session.connected()).isTrue();
    }

    @Test
    void requests_wait_while_the_agent_does_not_read_and_go_out_in_their_order() {
        Session session = world.session();
        session.heartbeat(0);
        World.Wire wire = world.wire();
        wire.received.clear();
        wire.reads = false;
        for (int i = 1; i <= 5; i++) {
            session.requestOnce(retire(i), CommitAnswer.class, LONG);
        }
        assertThat(session.heartbeat(0)).as("a heartbeat does not wait").isFalse();
        assertThat(wire.received).isEmpty();
        wire.readAgain();

        assertThat(wire.received)
                .extracting(one -> ((MorphCommit) one.message()).timeMicros())
                .containsExactly(1L, 2L, 3L, 4L, 5L);
        world.pass(Duration.ofSeconds(6));
        assertThat(session.connected()).isTrue();
    }

    @Test
    void an_agent_that_does_not_read_for_five_seconds_is_dropped() {
        Session session = world.session();
        session.heartbeat(0);
        world.wire().reads = false;
        CompletableFuture<CommitAnswer> waiting = session.requestOnce(query(), CommitAnswer.class, LONG);
        world.pass(Duration.ofMillis(4999));
        assertThat(session.connected()).isTrue();
        world.pass(Duration.ofMillis(1));
        assertThat(session.connected()).isFalse();
        assertThat(reason(waiting)).isEqualTo(Reason.LOST);
    }

    @Test
    void no_more_requests_wait_than_the_protocol_allows() {
        Session session = world.session();
        List<CompletableFuture<CommitAnswer>> answers = new ArrayList<>();
        for (int i = 0; i < KmpSession.MAX_REQUESTS; i++) {
            answers.add(session.request(query(), CommitAnswer.class, LONG));
        }
        assertThat(reason(session.request(query(), CommitAnswer.class, LONG))).isEqualTo(Reason.TOO_MANY);
        world.wire()
                .say(
                        state(OperationState.FROZEN),
                        world.wire().received.remove().sequence());
        assertThat(session.request(query(), CommitAnswer.class, LONG)).isNotDone();
        assertThat(answers.get(0)).isCompleted();
    }

    @Test
    void half_a_frame_is_waited_for_five_seconds() {
        Session session = world.session();
        session.heartbeat(0);
        ByteBuffer whole = new FrameEncoder()
                .encode(heartbeat(World.ID), world.wire().received.remove().sequence(), 0);
        ByteBuffer half = whole.slice(0, 40);
        ByteBuffer rest = whole.slice(40, whole.remaining() - 40);
        world.wire().say(half);
        world.pass(Duration.ofMillis(4000));
        world.wire().say(rest);
        assertThat(world.events).hasSize(2);

        half.rewind();
        world.wire().say(half);
        world.pass(Duration.ofMillis(4999));
        assertThat(session.connected()).isTrue();
        world.pass(Duration.ofMillis(2));
        assertThat(world.events).last().isEqualTo("lost: the rest of a frame has not come within 5000 ms");
    }

    @Test
    void what_is_no_frame_closes_the_connection_and_another_is_made() {
        Session session = world.session();
        session.heartbeat(0);
        world.wire().say(ByteBuffer.wrap("HTTP/1.1 400 Bad Request\r\n".getBytes()));
        assertThat(world.events).last().isEqualTo("lost: what comes is not KMP");
        assertThat(world.wire().closed).isPresent();
        assertThat(session.heartbeat(0)).isTrue();
        assertThat(world.wires).hasSize(2);
    }

    @Test
    void a_frame_of_another_version_is_answered_before_the_connection_closes() {
        Session session = world.session();
        session.heartbeat(0);
        World.Wire wire = world.wire();
        wire.received.clear();
        ByteBuffer frame = new FrameEncoder().encode(heartbeat(World.ID), 3, 0);
        frame.put(4, (byte) 2);
        wire.say(frame);

        assertThat(session.connected()).isFalse();
        assertThat(wire.received.remove().message())
                .isInstanceOfSatisfying(
                        ErrorAnswer.class, error -> assertThat(error.code()).isEqualTo(ErrorCode.UNSUPPORTED_VERSION));
        assertThat(wire.closed).isEmpty();
        world.pass(Duration.ofSeconds(1));
        assertThat(wire.closed).isPresent();
    }

    @Test
    void a_request_of_the_agent_is_answered_later_and_once() {
        List<Reply> replies = new ArrayList<>();
        List<Message> asked = new ArrayList<>();
        Session session = world.session(new SessionListener() {
            @Override
            public void request(Message request, Reply reply) {
                asked.add(request);
                replies.add(reply);
            }
        });
        session.heartbeat(0);
        World.Wire wire = world.wire();
        wire.received.clear();
        wire.say(complete(), 77);
        assertThat(asked).containsExactly(complete());
        assertThat(wire.received).isEmpty();
        OperationAnswer answer = new OperationAnswer(
                MessageType.VMCORE_COMPLETE_ANSWER, OPERATION, OperationState.COMPLETE, Verdict.NONE, List.of());
        replies.get(0).answer(answer);
        replies.get(0).error(ErrorCode.INTERNAL, 0, "twice");

        assertThat(wire.received).containsExactly(new World.Received(answer, 77));
        assertThatThrownBy(() -> replies.get(0)
                        .answer(new Acknowledgement(
                                MessageType.VMCORE_DATA_ANSWER,
                                OPERATION,
                                OperationState.CAPTURING,
                                Verdict.NONE,
                                0,
                                0,
                                0,
                                List.of())))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void an_agent_with_too_many_unanswered_requests_is_asked_for_patience() {
        List<Reply> replies = new ArrayList<>();
        Session session = world.session(new SessionListener() {
            @Override
            public void request(Message request, Reply reply) {
                replies.add(reply);
            }
        });
        session.heartbeat(0);
        World.Wire wire = world.wire();
        wire.received.clear();
        for (int i = 0; i <= KmpSession.MAX_REQUESTS; i++) {
            wire.say(complete(), i);
        }
        assertThat(replies).hasSize(KmpSession.MAX_REQUESTS);
        assertThat(wire.received.remove().message()).isInstanceOf(RetryAnswer.class);
        replies.get(0).error(ErrorCode.INTERNAL, 0, "");
        wire.say(complete(), 999);
        assertThat(replies).hasSize(KmpSession.MAX_REQUESTS + 1);
    }

    @Test
    void an_agent_that_floods_with_requests_and_reads_no_answers_is_dropped() {
        Session session = world.session();
        session.heartbeat(0);
        World.Wire wire = world.wire();
        wire.reads = false;
        for (int i = 0; wire.closed.isEmpty(); i++) {
            assertThat(i).as("requests without an end").isLessThan(10_000);
            wire.say(new HeartbeatRequest(0, List.of()), i);
        }
        assertThat(session.connected()).isFalse();
    }

    @Test
    void requests_that_nobody_serves_are_answered_with_errors() {
        Session session = world.session();
        session.heartbeat(0);
        World.Wire wire = world.wire();
        wire.received.clear();
        wire.say(new HeartbeatRequest(0, List.of()), 5);
        wire.say(complete(), 6);
        assertThat(wire.received)
                .extracting(one -> ((ErrorAnswer) one.message()).code(), World.Received::sequence)
                .containsExactly(tuple(ErrorCode.NOT_SUPPORTED, 5), tuple(ErrorCode.UNKNOWN_OPERATION, 6));
    }

    @Test
    void closing_fails_what_waits_even_what_waits_for_its_repetition() {
        Session session = world.session();
        CompletableFuture<CommitAnswer> sent = session.request(query(), CommitAnswer.class, LONG);
        CompletableFuture<CommitAnswer> later = session.request(query(), CommitAnswer.class, LONG);
        world.wire().received.remove();
        retry(world.wire().received.remove().sequence());
        session.close();

        assertThat(reason(sent)).isEqualTo(Reason.CLOSED);
        assertThat(reason(later)).isEqualTo(Reason.CLOSED);
        assertThat(session.heartbeat(0)).isFalse();
        assertThat(reason(session.request(query(), CommitAnswer.class, LONG))).isEqualTo(Reason.CLOSED);
        assertThat(world.timed()).isZero();
        assertThat(world.wires).hasSize(1);
    }

    @Test
    void what_comes_over_a_connection_that_was_given_up_is_ignored() {
        Session session = world.session();
        session.heartbeat(0);
        World.Wire old = world.wire();
        int sequence = old.received.remove().sequence();
        session.reset("no answer for too long");
        session.heartbeat(0);
        old.say(heartbeat(World.ID), sequence);
        assertThat(world.events).containsExactly("connected", "lost: no answer for too long", "connected");
    }

    @Test
    void a_value_that_cannot_be_written_fails_its_request_alone() {
        Session session = world.session();
        CompletableFuture<CommitAnswer> impossible = session.request(
                new MorphCommit(OPERATION, CommitPhase.RETIRE, -1, List.of()), CommitAnswer.class, LONG);
        assertThatThrownBy(impossible::get).hasCauseInstanceOf(IllegalArgumentException.class);
        assertThat(session.request(query(), CommitAnswer.class, LONG)).isNotDone();
        assertThat(world.wire().received).hasSize(1);
    }

    private void retry(int sequence) {
        world.wire().say(new RetryAnswer(200, 0x0205, ErrorCode.BUSY, List.of()), sequence);
    }

    private static KmpException failure(CompletableFuture<?> future) {
        assertThat(future).isCompletedExceptionally();
        try {
            future.get();
            throw new AssertionError("it has not failed");
        } catch (ExecutionException e) {
            return (KmpException) e.getCause();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static Reason reason(CompletableFuture<?> future) {
        return failure(future).reason();
    }

    private static MorphCommit query() {
        return new MorphCommit(OPERATION, CommitPhase.QUERY, 0, List.of());
    }

    private static MorphCommit retire(long micros) {
        return new MorphCommit(OPERATION, CommitPhase.RETIRE, micros, List.of());
    }

    private static CommitAnswer state(OperationState state) {
        return new CommitAnswer(OPERATION, state, Verdict.NONE, 0, 0, List.of());
    }

    private static VmcoreComplete complete() {
        return new VmcoreComplete(OPERATION, 1, Outcome.DONE, 0, 0, List.of());
    }

    private static HealthStatus trouble(long instance) {
        return new HealthStatus(instance, 1, Severity.WARNING, WorkloadState.NONE, 1, 0, 0, 2, List.of());
    }

    private static HeartbeatAnswer heartbeat(long instance) {
        return new HeartbeatAnswer(
                instance, AgentState.READY, WorkloadState.NONE, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, List.of());
    }
}
