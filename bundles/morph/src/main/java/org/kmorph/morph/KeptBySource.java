// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Peer;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.Compression;
import org.kmorph.kmp.message.MorphNegotiate;
import org.kmorph.kmp.message.NegotiateStage;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.TransferPull;
import org.kmorph.kmp.wire.Limits;

/** State that an old kernel's agent keeps after it has let go, and sends to another target directly. */
final class KeptBySource implements Keeper {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final UUID operation;
    private final Asking source;
    private final Peer peer;
    private List<Item> described = List.of();

    /** @param peer where the other target's agent listens */
    KeptBySource(UUID operation, Asking source, Peer peer) {
        this.operation = operation;
        this.source = source;
        this.peer = peer;
    }

    @Override
    public List<Item> describe() throws IOException, InterruptedException {
        MorphNegotiate ask = new MorphNegotiate(operation, NegotiateStage.DESCRIBE, Compression.NONE, 0, List.of());
        described = source.ask(ask, OperationAnswer.class, PATIENCE).items();
        return described;
    }

    @Override
    public DigestAlgorithm digest(List<Item> offered) {
        return Agreement.digest(described, offered);
    }

    @Override
    public void give(Asking target) throws IOException, InterruptedException {
        TransferPull pull = new TransferPull(operation, Limits.ALL_REGIONS, 1, 0, true, Relay.WINDOW, List.of(peer));
        while (source.ask(pull, Acknowledgement.class, PATIENCE).estimateBytes() > 0) {
            // it is under way: the same pull again waits on
        }
    }
}
