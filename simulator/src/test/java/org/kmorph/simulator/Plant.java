// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.transport.Transport.Reach;

/** A fault between two parts of the daemon, as a careless change would make one. Tests alone can put it there. */
enum Plant {
    /** The host says that a kernel runs no more, and has done nothing for that. */
    FENCE_SKIPPED(() -> host(PlantedHosts.FenceSkipped::new)),

    /** A fence that its host could not confirm counts as confirmed. */
    UNCONFIRMED_FENCE_BELIEVED(() -> host(PlantedHosts.FenceBelieved::new)),

    /** After a restart of the daemon a kernel that runs is taken for one that has ended. */
    ADOPTED_AS_ENDED(() -> host(PlantedHosts.AdoptedAsEnded::new)),

    /** What a kernel had is not given back. */
    RELEASE_SKIPPED(() -> host(PlantedHosts.ReleaseSkipped::new)),

    /** A record is said to be on disk when it is in the page cache. */
    RECORD_NOT_SYNCED(() -> Wiring.plain().withDisk(PlantedDisk::new)),

    /** A record for which there was no room is said to be on disk. */
    FULL_DISK_IGNORED(() -> Wiring.plain().withJournal(ForgivingJournal::new)),

    /** The deadline of a heartbeat is short by a millisecond. */
    DEADLINE_OFF_BY_ONE(() -> Wiring.plain().withPolicies(HastyPolicies::new)),

    /** The kernel below a silent agent is not asked, and taken for silent too. */
    PROBE_SKIPPED(() -> probe(Reach.SILENT)),

    /** The kernel below a silent agent is not asked, and taken to be well. */
    PROBE_BELIEVES_THE_BEST(() -> probe(Reach.ANSWERS)),

    /** Recovery takes an instance for fenced that the registry was not asked to fence. */
    REGISTRY_NOT_ASKED_TO_FENCE(() -> Wiring.plain().withInstances(UnfencedInstances::new)),

    /** What recovery wants done later is forgotten. */
    TIMER_LOST(() -> loop(nanos -> Long.MAX_VALUE / 4)),

    /** What recovery wants done later is done at once. */
    BACK_OFF_SKIPPED(() -> loop(nanos -> 0L)),

    /** A standby takes over from an instance that was not fenced. */
    STANDBY_PROMOTED_UNFENCED(World.MOVES_FROM, () -> Wiring.plain().withInstances(PlantedMoves.Unfenced::new)),

    /** The new kernel is told to run before it is noted that the old one has released: the note is never written. */
    RELEASED_NOT_NOTED(
            World.HAND_OVERS_DISTURBED_FROM, () -> Wiring.plain().withJournal(PlantedMoves.NothingNoted::new)),

    /** A lease never ends by the daemon's clock: whoever was fenced after it counts as one that died frozen. */
    LEASE_IGNORED(
            World.HAND_OVERS_DISTURBED_FROM, () -> morphs(Wiring.Morphs.plain().withClock(PlantedMoves.Coarse::new))),

    /** A source that does not say whether it has released is taken to have. */
    RELEASE_ASSUMED(
            World.HAND_OVERS_DISTURBED_FROM,
            () -> morphs(Wiring.Morphs.plain().withClient(PlantedMoves.Assuming::released))),

    /** The same where the state goes through the daemon's hands. */
    RELAYED_RELEASE_ASSUMED(
            World.RELAYS_FROM, () -> morphs(Wiring.Morphs.plain().withClient(PlantedMoves.Assuming::releasedHere))),

    /** Of the state that goes through the daemon's hands the final round is not kept. */
    FINAL_ROUND_NOT_KEPT(World.RELAYS_FROM, () -> morphs(Wiring.Morphs.plain().withKept(PlantedKept::new))),

    /** A new kernel that does not say whether it gives the workload back, or says that it has begun, is taken to have given it back. */
    GIVING_BACK_ASSUMED(
            World.BEGINNINGS_DISTURBED_FROM,
            () -> morphs(Wiring.Morphs.plain().withClient(PlantedMoves.Assuming::givenBack))),

    /** A new kernel that is HELD, for it could not be fenced for certain, is taken for gone. */
    HELD_TAKEN_FOR_GONE(
            World.FENCES_DISTURBED_FROM,
            () -> morphs(Wiring.Morphs.plain().withInstances(PlantedMoves.HeldForgotten::new))),

    /** The name is not given to the new kernel. */
    NAME_NOT_TAKEN(World.MOVES_FROM, () -> morphs(Wiring.Morphs.plain().withInstances(PlantedMoves.Nameless::new)));

    private final long from;
    private final Supplier<Wiring> wiring;

    Plant(Supplier<Wiring> wiring) {
        this(1, wiring);
    }

    Plant(long from, Supplier<Wiring> wiring) {
        this.from = from;
        this.wiring = wiring;
    }

    /** The first seed in whose world it could show. */
    long from() {
        return from;
    }

    Wiring wiring() {
        return wiring.get();
    }

    private static Wiring host(UnaryOperator<KernelHost> host) {
        return Wiring.plain().withHost(host);
    }

    private static Wiring morphs(Wiring.Morphs morphs) {
        return Wiring.plain().withMorphs(morphs);
    }

    private static Wiring probe(Reach answer) {
        return Wiring.plain().withTransport(transport -> new OpinionatedTransport(transport, answer));
    }

    private static Wiring loop(UnaryOperator<Long> delay) {
        return Wiring.plain().withLoop(loop -> new OtherDelays(loop, delay));
    }
}
