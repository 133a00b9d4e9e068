// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.kmorph.kmp.item.Digest;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.item.StateKind;
import org.kmorph.kmp.item.StateKindOffer;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.Chunk;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.Extent;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.TransferData;
import org.kmorph.kmp.message.TransferEnd;
import org.kmorph.kmp.message.TransferPull;

/**
 * State that goes through the daemon's hands, as its source sends it (docs/kmp.md, KMP_MORPH_TRANSFER_STATE): a memory of three pages, of which
 * the workload writes another one before each round, and one region that says how old the state is and what all of the memory is.
 */
final class SourceFlow {
    static final int MEMORY = 1;
    static final int STATE = 2;
    static final int PAGE = 4096;
    static final int PAGES = 3;

    /** The stamp, or in a round that is not the final one its number, negative; and the digest of the memory. */
    static final int STATE_BYTES = Long.BYTES + DigestAlgorithm.SHA256.bytes();

    private final World world;
    private final Kernel kernel;
    private final byte[] memory = new byte[PAGES * PAGE];
    private final Map<Integer, Message> unacknowledged = new LinkedHashMap<>();
    private final Map<Integer, byte[]> digests = new LinkedHashMap<>();
    private long round;
    private boolean last;
    private boolean over;
    private int next;

    SourceFlow(World world, Kernel kernel) {
        this.world = world;
        this.kernel = kernel;
    }

    /** What there is to move. */
    static List<Item> described() {
        return List.of(
                new StateKindOffer(StateKind.MEMORY, 1, 1, 1, PAGES * PAGE),
                new StateKindOffer(StateKind.OPAQUE, 1, 1, 1, STATE_BYTES),
                new Region(MEMORY, StateKind.MEMORY, 0, PAGES * PAGE, "memory"),
                new Region(STATE, StateKind.OPAQUE, 0, STATE_BYTES, "state"));
    }

    void forget() {
        Arrays.fill(memory, (byte) 0);
        unacknowledged.clear();
        digests.clear();
        round = 0;
        last = false;
        over = false;
    }

    long rounds() {
        return round;
    }

    /**
     * @param state of the source, which the acknowledgement has
     * @param to the target
     */
    void pull(TransferPull pull, OperationState state, Optional<Kernel> to, MorphAgent.Reply reply) {
        boolean same = pull.round() == round && pull.finalRound() == last;
        if (!same && (pull.round() != round + 1 || round > 0 && !over || last)) {
            reply.refuse(ErrorCode.WRONG_STATE, round, "this round is not the next one");
            return;
        }
        if (!same) {
            begin(pull, kernel.work.stamp);
        }
        reply.say(new Acknowledgement(
                MessageType.MORPH_TRANSFER_STATE_ANSWER,
                pull.operation(),
                state,
                Verdict.NONE,
                0,
                same ? 0 : PAGE + STATE_BYTES,
                0,
                List.of()));
        world.handOvers().pulled(kernel, to);
        long nanos = 0;
        for (int number : List.copyOf(unacknowledged.keySet())) {
            nanos += world.network().nanos(0, 5);
            world.scheduler().after(nanos, kernel.life, () -> Optional.ofNullable(unacknowledged.get(number))
                    .ifPresent(message -> reply.ask(message, answer -> answered(number, answer))));
        }
    }

    private void answered(int number, Message answer) {
        // what is refused is not sent again: the receiver rolls back
        if (answer instanceof Acknowledgement && unacknowledged.remove(number) != null) {
            over = unacknowledged.isEmpty();
        }
    }

    private void begin(TransferPull pull, long stamp) {
        round = pull.round();
        last = pull.finalRound();
        over = false;
        unacknowledged.clear();
        int written = (int) (round % (PAGES - 1));
        ByteBuffer.wrap(memory, written * PAGE, PAGE).putLong(stamp).putLong(round);
        List<Chunk> chunks = new ArrayList<>();
        for (int page = 0; page < PAGES; page++) {
            if (round == 1 || page == written) {
                chunks.add(page(page));
            }
        }
        send(pull.operation(), MEMORY, chunks);
        byte[] said = ByteBuffer.allocate(STATE_BYTES)
                .putLong(last ? stamp : -round)
                .put(Digests.of(memory))
                .array();
        send(
                pull.operation(),
                STATE,
                List.of(new Chunk(
                        true,
                        false,
                        List.of(new Extent(0, STATE_BYTES, Extent.Content.BYTES)),
                        ByteBuffer.wrap(said))));
    }

    /** One that was never written is said to be zeros. */
    private Chunk page(int page) {
        byte[] bytes = Arrays.copyOfRange(memory, page * PAGE, (page + 1) * PAGE);
        boolean zero = Arrays.equals(bytes, new byte[PAGE]);
        Extent extent = new Extent((long) page * PAGE, PAGE, zero ? Extent.Content.ZERO : Extent.Content.BYTES);
        return new Chunk(page == PAGES - 1, false, List.of(extent), ByteBuffer.wrap(zero ? new byte[0] : bytes));
    }

    private void send(UUID operation, int region, List<Chunk> chunks) {
        Digests digest = new Digests(digests.get(region));
        long covered = 0;
        for (Chunk chunk : chunks) {
            unacknowledged.put(next++, new TransferData(operation, region, round, covered, last, chunk, List.of()));
            digest.add(chunk);
            covered += chunk.covers();
        }
        byte[] value = digest.value();
        digests.put(region, value);
        Item item = new Digest(region, round, DigestAlgorithm.SHA256, ByteBuffer.wrap(value));
        unacknowledged.put(next++, new TransferEnd(operation, region, round, covered, last, List.of(item)));
    }

    /** The digest of a region over its rounds: docs/kmp.md. */
    static final class Digests {
        private final java.security.MessageDigest digest = sha256();

        /** @param before after the round before; null for none */
        Digests(byte[] before) {
            if (before != null) {
                digest.update(before);
            }
        }

        static byte[] of(byte[] bytes) {
            return sha256().digest(bytes);
        }

        void add(Chunk chunk) {
            ByteBuffer data = chunk.data().duplicate();
            for (Extent extent : chunk.extents()) {
                digest.update(ByteBuffer.allocate(16)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(extent.offset())
                        .putInt((int) extent.length())
                        .putInt(extent.content().code())
                        .flip());
                if (extent.content() == Extent.Content.BYTES) {
                    digest.update(data.slice(data.position(), (int) extent.length()));
                    data.position(data.position() + (int) extent.length());
                }
            }
        }

        byte[] value() {
            return digest.digest();
        }

        private static java.security.MessageDigest sha256() {
            try {
                return java.security.MessageDigest.getInstance("SHA-256");
            } catch (java.security.NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java has SHA-256", e);
            }
        }
    }
}
