// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.kmp.item.Check;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.Peer;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.Unpacked;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.Cause;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.Compression;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.MorphNegotiate;
import org.kmorph.kmp.message.MorphPrepare;
import org.kmorph.kmp.message.MorphRollback;
import org.kmorph.kmp.message.MorphValidate;
import org.kmorph.kmp.message.NegotiateStage;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.TransferPull;
import org.kmorph.kmp.message.ValidateScope;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpException;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;

/** What is said to the two agents of one operation. Nothing here blocks; the futures fail with what the peer or the connection said. */
final class Conversation implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofSeconds(2);
    private static final Duration ROUND = Duration.ofMinutes(10);

    private final UUID operation;
    private final Supplier<KmpClient> client;
    private final TimeSource time;
    private final Kept.Place keptIn;
    private final boolean direct;
    private final boolean compress;
    private final Relay relay;
    private Optional<Side> source = Optional.empty();
    private Optional<Side> target = Optional.empty();
    private Optional<Kept> kept = Optional.empty();
    private Optional<Peer> peer = Optional.empty();
    private volatile long round;
    private volatile Round moved = Round.NOTHING;
    private volatile long left;
    private volatile List<String> agreed = List.of();
    private volatile List<String> checks = List.of();

    /**
     * @param direct whether state goes from agent to agent; else it comes through here
     * @param compress whether it is to be compressed, if both can
     */
    Conversation(
            UUID operation,
            Supplier<KmpClient> client,
            TimeSource time,
            Kept.Place keptIn,
            boolean direct,
            boolean compress) {
        this.operation = operation;
        this.client = client;
        this.time = time;
        this.keptIn = keptIn;
        this.direct = direct;
        this.compress = compress;
        this.relay = new Relay(operation);
    }

    /** An agent, and the session with it: by the client that there was. */
    private record Side(Endpoint at, long instance, SessionListener listener, KmpClient client, KmpSession session) {
        static Side open(Endpoint at, long instance, SessionListener listener, KmpClient client) {
            return new Side(at, instance, listener, client, client.open(at, instance, listener));
        }

        /** Where the client was replaced its sessions are over, and there is another one. */
        Side by(KmpClient now) {
            return client.equals(now) ? this : open(at, instance, listener, now);
        }
    }

    synchronized void source(Instance instance) {
        source.ifPresent(side -> side.session().close());
        source = instance.endpoint().map(at -> Side.open(at, instance.id(), relay, client.get()));
    }

    synchronized void target(Instance instance) {
        target.ifPresent(side -> side.session().close());
        target = instance.endpoint().map(at -> Side.open(at, instance.id(), new SessionListener() {}, client.get()));
        peer = instance.endpoint().map(at -> new Peer(at.address()));
    }

    /** Of the one that is under way, so far. */
    Round ofRound() {
        return direct ? moved : relay.soFar();
    }

    /** As the source estimates; 0 when none is under way. */
    long leftOfRound() {
        return direct ? left : Math.max(0, left - relay.soFar().unpacked());
    }

    /** What was negotiated, for people. */
    List<String> agreed() {
        return agreed;
    }

    List<String> checks() {
        return checks;
    }

    CompletableFuture<OperationAnswer> prepare(Role role, boolean cold, Duration expires, long peer) {
        MorphPrepare message =
                new MorphPrepare(operation, role, cold ? MorphPrepare.COLD : 0, expires.toMillis(), peer, List.of());
        return to(role).request(message, OperationAnswer.class, PATIENCE);
    }

    /** Describes, offers and agrees. @return why not; empty when it is agreed */
    CompletableFuture<Optional<String>> negotiate() {
        return to(Role.SOURCE)
                .request(stage(NegotiateStage.DESCRIBE, List.of()), OperationAnswer.class, PATIENCE)
                .thenCompose(described -> to(Role.TARGET)
                        .request(stage(NegotiateStage.OFFER, described.items()), OperationAnswer.class, PATIENCE)
                        .thenCompose(offered -> agree(described, offered)));
    }

    private CompletableFuture<Optional<String>> agree(OperationAnswer described, OperationAnswer offered) {
        Optional<String> refusal = Agreement.refusal(offered);
        if (refusal.isPresent()) {
            return CompletableFuture.completedFuture(refusal);
        }
        DigestAlgorithm digest = Agreement.digest(described.items(), offered.items());
        Compression compression =
                compress ? Agreement.compression(described.items(), offered.items()) : Compression.NONE;
        agreed = Agreement.inWords(described.items(), Agreement.kinds(offered), digest);
        if (compress) {
            agreed = Stream.concat(agreed.stream(), Stream.of(Agreement.compressionInWords(compression)))
                    .toList();
        }
        try {
            if (!direct) {
                Kept begun = keptIn.begin(Items.all(described.items(), Region.class));
                kept = Optional.of(begun);
                relay.to(to(Role.TARGET), begun);
            }
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
        MorphNegotiate message = new MorphNegotiate(
                operation, NegotiateStage.AGREE, compression, digest.code(), Agreement.kinds(offered));
        return to(Role.SOURCE)
                .request(message, OperationAnswer.class, PATIENCE)
                .thenCompose(agreed -> to(Role.TARGET).request(message, OperationAnswer.class, PATIENCE))
                .thenApply(agreed -> Optional.empty());
    }

    private MorphNegotiate stage(NegotiateStage stage, List<Item> items) {
        return new MorphNegotiate(operation, stage, Compression.NONE, 0, items);
    }

    /** One round while the workload runs; completes with its bytes when the target has it. */
    CompletableFuture<Round> pull() {
        if (!direct) {
            return relayed(false);
        }
        round++;
        moved = Round.NOTHING;
        left = 0;
        return toPeer();
    }

    /** Asks until the round is over. A source that is further than we knew, because a former daemon led it, says so. */
    private CompletableFuture<Round> toPeer() {
        List<Item> where = List.copyOf(peer.stream().toList());
        TransferPull pull = new TransferPull(operation, Limits.ALL_REGIONS, round, 0, false, Relay.WINDOW, where);
        return to(Role.SOURCE)
                .request(pull, Acknowledgement.class, PATIENCE)
                .handle((answer, failure) -> {
                    if (failure == null) {
                        long sent = answer.streamOffset();
                        moved = new Round(
                                sent,
                                Items.first(answer.items(), Unpacked.class)
                                        .map(Unpacked::bytes)
                                        .orElse(sent));
                        left = answer.estimateBytes();
                        return left == 0 ? CompletableFuture.completedFuture(moved) : toPeer();
                    }
                    long further = roundOf(failure);
                    if (further <= round) {
                        return CompletableFuture.<Round>failedFuture(failure);
                    }
                    round = further;
                    return toPeer();
                })
                .thenCompose(next -> next);
    }

    private static long roundOf(Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return cause instanceof KmpException refused && refused.errorCode() == ErrorCode.WRONG_STATE
                ? refused.error().orElseThrow().value()
                : 0;
    }

    private CompletableFuture<Round> relayed(boolean last) {
        round++;
        CompletableFuture<Round> over = relay.expect(round);
        TransferPull pull = new TransferPull(operation, Limits.ALL_REGIONS, round, 0, last, Relay.WINDOW, List.of());
        to(Role.SOURCE)
                .request(pull, Acknowledgement.class, last ? SHORT : ROUND)
                .whenComplete((answer, failure) -> {
                    if (failure != null) {
                        over.completeExceptionally(failure);
                    } else {
                        left = answer.estimateBytes();
                    }
                });
        return over.whenComplete((bytes, failure) -> left = 0);
    }

    /** Grows while a round comes through here. */
    long heardOfRound() {
        return relay.heard();
    }

    /** Freezes the workload and pulls what is left, in one go. */
    CompletableFuture<Round> freeze(Duration lease) {
        CompletableFuture<CommitAnswer> frozen = commit(Role.SOURCE, CommitPhase.QUIESCE, lease);
        CompletableFuture<Round> over = relayed(true);
        frozen.whenComplete((answer, failure) -> {
            if (failure != null) {
                over.completeExceptionally(failure);
            }
        });
        return over;
    }

    /** Has the source freeze, send what is left, and let go when the target has validated it. */
    CompletableFuture<CommitAnswer> handOver(Duration lease) {
        MorphCommit message = new MorphCommit(operation, CommitPhase.HAND_OVER, lease.toNanos() / 1000, List.of());
        return to(Role.SOURCE).request(message, CommitAnswer.class, lease.plus(SHORT));
    }

    CompletableFuture<CommitAnswer> commit(Role role, CommitPhase phase, Duration time) {
        MorphCommit message = new MorphCommit(operation, phase, time.toNanos() / 1000, List.of());
        Duration patience = phase == CommitPhase.RETIRE ? time.plus(PATIENCE) : SHORT;
        return to(role).request(message, CommitAnswer.class, patience);
    }

    /** @return why not; empty for yes */
    CompletableFuture<Optional<String>> validate(ValidateScope scope, Duration patience) {
        return to(Role.TARGET)
                .request(new MorphValidate(operation, scope, List.of()), OperationAnswer.class, patience)
                .thenApply(answer -> verdict(scope, answer));
    }

    private Optional<String> verdict(ValidateScope scope, OperationAnswer answer) {
        List<Check> found = Items.all(answer.items(), Check.class);
        if (scope == ValidateScope.REHEARSAL) {
            checks = found.stream()
                    .map(check -> (check.verdict() == Verdict.YES ? "passed " : "FAILED ") + check.text())
                    .toList();
        }
        if (answer.verdict() == Verdict.YES) {
            return Optional.empty();
        }
        return Optional.of("the new kernel refuses: "
                + found.stream()
                        .filter(check -> check.verdict() == Verdict.NO)
                        .map(Check::text)
                        .collect(Collectors.joining("; ")));
    }

    /** Has a target that is fresh run the workload: with the state that was kept, or, of a cold morph, anew. Blocks. */
    void restore(boolean cold, Duration validation) throws IOException, InterruptedException {
        Restoration restoration = new Restoration(operation, asking(Role.TARGET), validation);
        if (cold) {
            restoration.anew();
        } else if (direct) {
            restoration.from(new KeptBySource(operation, asking(Role.SOURCE), peer.orElseThrow()));
        } else {
            try (Kept copy = keptIn.reopen()) {
                restoration.from(new KeptHere(operation, copy));
            }
        }
    }

    /** For those who wait for the answers of an agent. */
    Asking asking(Role role) {
        return new Asking(to(role), time);
    }

    CompletableFuture<OperationAnswer> rollBack(Role role, Cause cause) {
        return to(role).request(new MorphRollback(operation, cause, List.of()), OperationAnswer.class, SHORT);
    }

    private synchronized KmpSession to(Role role) {
        Side side = (role == Role.SOURCE ? source : target)
                .orElseThrow(() -> new IllegalStateException("there is no session to the " + role))
                .by(client.get());
        if (role == Role.SOURCE) {
            source = Optional.of(side);
        } else {
            target = Optional.of(side);
        }
        return side.session();
    }

    void forgetKept() throws IOException {
        if (kept.isPresent()) {
            kept.get().close();
        }
        keptIn.remove();
    }

    @Override
    public synchronized void close() {
        source.ifPresent(side -> side.session().close());
        target.ifPresent(side -> side.session().close());
        source = Optional.empty();
        target = Optional.empty();
        kept.ifPresent(copy -> {
            try {
                copy.close();
            } catch (IOException e) {
                // nothing is lost by it: the files are there or go with their directory
            }
        });
    }
}
