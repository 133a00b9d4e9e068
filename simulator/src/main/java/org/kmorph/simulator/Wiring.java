// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Transport;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.morph.Kept;

/**
 * What stands between the parts of a daemon: nothing. Tests put faults there, to prove that they are found.
 *
 * @param disk what the machine has
 * @param instances the registry, as recovery sees it
 * @param loop what recovery's state machines are moved by
 */
record Wiring(
        Supplier<Disk> disk,
        UnaryOperator<Journal> journal,
        UnaryOperator<KernelHost> host,
        UnaryOperator<Transport> transport,
        UnaryOperator<Instances> instances,
        UnaryOperator<Policies> policies,
        UnaryOperator<ScheduledExecutorService> loop,
        Morphs morphs) {

    /**
     * The same for morphs.
     *
     * @param instances the registry, as morphs see it
     * @param clock by which they measure leases
     * @param kept where state is kept that goes through the daemon's hands
     */
    record Morphs(
            UnaryOperator<Instances> instances,
            UnaryOperator<KmpClient> client,
            UnaryOperator<TimeSource> clock,
            UnaryOperator<Kept.Place> kept) {
        static Morphs plain() {
            return new Morphs(
                    UnaryOperator.identity(),
                    UnaryOperator.identity(),
                    UnaryOperator.identity(),
                    UnaryOperator.identity());
        }

        Morphs withInstances(UnaryOperator<Instances> made) {
            return new Morphs(made, client, clock, kept);
        }

        Morphs withClient(UnaryOperator<KmpClient> made) {
            return new Morphs(instances, made, clock, kept);
        }

        Morphs withClock(UnaryOperator<TimeSource> made) {
            return new Morphs(instances, client, made, kept);
        }

        Morphs withKept(UnaryOperator<Kept.Place> made) {
            return new Morphs(instances, client, clock, made);
        }
    }

    static Wiring plain() {
        return new Wiring(
                Disk::new,
                UnaryOperator.identity(),
                UnaryOperator.identity(),
                UnaryOperator.identity(),
                UnaryOperator.identity(),
                UnaryOperator.identity(),
                UnaryOperator.identity(),
                Morphs.plain());
    }

    Wiring withDisk(Supplier<Disk> made) {
        return new Wiring(made, journal, host, transport, instances, policies, loop, morphs);
    }

    Wiring withJournal(UnaryOperator<Journal> made) {
        return new Wiring(disk, made, host, transport, instances, policies, loop, morphs);
    }

    Wiring withHost(UnaryOperator<KernelHost> made) {
        return new Wiring(disk, journal, made, transport, instances, policies, loop, morphs);
    }

    Wiring withTransport(UnaryOperator<Transport> made) {
        return new Wiring(disk, journal, host, made, instances, policies, loop, morphs);
    }

    Wiring withInstances(UnaryOperator<Instances> made) {
        return new Wiring(disk, journal, host, transport, made, policies, loop, morphs);
    }

    Wiring withPolicies(UnaryOperator<Policies> made) {
        return new Wiring(disk, journal, host, transport, instances, made, loop, morphs);
    }

    Wiring withLoop(UnaryOperator<ScheduledExecutorService> made) {
        return new Wiring(disk, journal, host, transport, instances, policies, made, morphs);
    }

    Wiring withMorphs(Morphs made) {
        return new Wiring(disk, journal, host, transport, instances, policies, loop, made);
    }
}
