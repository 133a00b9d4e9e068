// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.recovery.RecoveryListener;
import org.kmorph.api.time.Randomness;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.vmcore.Vmcores;
import org.kmorph.kmpclient.KmpClient;

/**
 * What the healing stands on. Services that may be replaced are asked for when they are needed.
 *
 * @param vmcores who saves memory; not there while its bundle is replaced, or not installed
 * @param consoles what the instance of an id has written to its console last, for people: few lines, oldest first
 * @param loop one thread, which moves the state machines
 * @param hands do what blocks; as many recoveries do something at once. After their shutdown both discard what they are given
 */
public record RecoverySurroundings(
        Instances instances,
        KmpClient client,
        Supplier<HealthMonitor> monitor,
        Supplier<Journal> journal,
        Supplier<Policies> policies,
        Supplier<List<RecoveryListener>> listeners,
        Supplier<Optional<Vmcores>> vmcores,
        IntFunction<List<String>> consoles,
        TimeSource time,
        Randomness randomness,
        ScheduledExecutorService loop,
        ExecutorService hands) {}
