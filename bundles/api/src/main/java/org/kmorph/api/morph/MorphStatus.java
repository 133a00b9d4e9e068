// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.morph;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A morph at one moment.
 *
 * @param instance whose kernel is replaced
 * @param operation its id
 * @param phase where it is
 * @param prepared whether it waits for a commit, its state kept fresh
 * @param since when it began
 * @param from the old kernel's release
 * @param to the new kernel's
 * @param kernel the new kernel's image
 * @param rounds how often state was pulled
 * @param bytes how much of it was moved, as it was sent
 * @param unpackedBytes the same before it was compressed; as much as {@code bytes} where nothing was
 * @param leftBytes of the round that is under way, as the old kernel estimates
 * @param lastRoundBytes how much the last round was
 * @param dirtyBytesPerSecond how fast the workload writes, by the last round
 * @param transferBytesPerSecond how fast the largest round so far was moved, read, checked and written
 * @param blackoutNanos from the freeze to the new kernel's answer that it runs the workload, once it has
 * @param steps where that time went; steps of two parties overlap
 * @param agreed what the two kernels have negotiated: kinds and sizes of state, how it is compared
 * @param checks what the new kernel tried before the commit, and what was found
 * @param outcome what it came to, or is coming to: committed, rolled back, failed; empty while that is open
 * @param detail what happened last, for people
 */
public record MorphStatus(
        String instance,
        String operation,
        MorphPhase phase,
        boolean prepared,
        Instant since,
        String from,
        String to,
        String kernel,
        int rounds,
        long bytes,
        long unpackedBytes,
        long leftBytes,
        long lastRoundBytes,
        long dirtyBytesPerSecond,
        long transferBytesPerSecond,
        Optional<Long> blackoutNanos,
        List<MorphStep> steps,
        List<String> agreed,
        List<String> checks,
        String outcome,
        String detail) {
    public MorphStatus {
        steps = List.copyOf(steps);
        agreed = List.copyOf(agreed);
        checks = List.copyOf(checks);
    }

    /** Where it is, in a word or two for people: prepared, transferring, ...; provisional once it is committed. */
    public String inWords() {
        return prepared
                ? "prepared"
                : phase == MorphPhase.RUNNING
                        ? "provisional"
                        : phase.name()
                                .toLowerCase(Locale.ROOT)
                                .replace("morph_", "")
                                .replace('_', ' ');
    }
}
