// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.kmorph.kmp.item.Capabilities;
import org.kmorph.kmp.item.Capability;
import org.kmorph.kmp.item.Check;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.Incompatible;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.item.StateKindOffer;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Compression;
import org.kmorph.kmp.message.OperationAnswer;

/** What a negotiation comes to. Pure. */
final class Agreement {
    private Agreement() {}

    /** Why the target cannot take what is offered; empty when it can. */
    static Optional<String> refusal(OperationAnswer offered) {
        if (offered.verdict() == Verdict.YES) {
            return Optional.empty();
        }
        String reasons = Items.all(offered.items(), Incompatible.class).stream()
                .map(reason -> kind(reason.kind()) + reason.text())
                .collect(Collectors.joining("; "));
        return Optional.of("the new kernel cannot take it: " + (reasons.isEmpty() ? "it does not say why" : reasons));
    }

    /** @throws IOException when a validation does not end well: what, then what was found */
    static void require(OperationAnswer validated, String what) throws IOException {
        if (validated.verdict() != Verdict.YES) {
            throw new IOException(what + ": "
                    + Items.all(validated.items(), Check.class).stream()
                            .filter(check -> check.verdict() == Verdict.NO)
                            .map(Check::text)
                            .collect(Collectors.joining("; ")));
        }
    }

    private static String kind(int kind) {
        return switch (kind) {
            case 1 -> "memory: ";
            case 2 -> "files: ";
            case 3 -> "sockets: ";
            case 4 -> "the workload's own state: ";
            default -> "";
        };
    }

    /** The best digest that both have. */
    static DigestAlgorithm digest(List<Item> source, List<Item> target) {
        return can(source, Capability.XXH64) && can(target, Capability.XXH64)
                ? DigestAlgorithm.XXH64
                : DigestAlgorithm.SHA256;
    }

    /** zstd where both have it. */
    static Compression compression(List<Item> source, List<Item> target) {
        return can(source, Capability.ZSTD) && can(target, Capability.ZSTD) ? Compression.ZSTD : Compression.NONE;
    }

    static String compressionInWords(Compression compression) {
        return compression == Compression.NONE
                ? "agreed on no compression: one of the two agents has no zstd"
                : "agreed on compression by zstd";
    }

    private static boolean can(List<Item> items, long capability) {
        return Items.first(items, Capabilities.class)
                .map(known -> (known.bits() & capability) != 0)
                .orElse(false);
    }

    /** What comes of it, for people: each kind with its version, what there is of it, and how it is compared. */
    static List<String> inWords(List<Item> described, List<Item> kinds, DigestAlgorithm digest) {
        List<String> words = new ArrayList<>();
        for (StateKindOffer offer : Items.all(kinds, StateKindOffer.class)) {
            String regions = Items.all(described, Region.class).stream()
                    .filter(region -> region.kind() == offer.kind())
                    .map(region -> region.bytes() == 0
                            ? region.name()
                            : String.format(Locale.ROOT, "%s %d KiB", region.name(), region.bytes() >> 10))
                    .collect(Collectors.joining(", "));
            words.add("agreed on " + kind(offer.kind()) + "version " + offer.versionMax() + " (" + regions + ")");
        }
        words.add("agreed on digests by " + digest);
        return words;
    }

    /** The kinds with the versions that the target has chosen. */
    static List<Item> kinds(OperationAnswer offered) {
        return List.copyOf(Items.all(offered.items(), StateKindOffer.class));
    }
}
