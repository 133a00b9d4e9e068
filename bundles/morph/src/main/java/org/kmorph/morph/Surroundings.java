// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;
import java.util.function.Supplier;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.nativeos.Urgency;

/**
 * What morphs need of the rest of the daemon.
 *
 * @param workers for what blocks. After its shutdown it rejects what it is given, as does {@code timers}
 * @param timers for what comes later
 * @param kept where the state of an operation is kept
 * @param urgency for the thread that everything waits for while the workload stands still
 * @param validation how long a rehearsal may take, for an instance: its policy's morph-timeout
 */
public record Surroundings(
        Supplier<Instances> instances,
        Supplier<Journal> journal,
        Supplier<KmpClient> client,
        TimeSource time,
        ExecutorService workers,
        ScheduledExecutorService timers,
        Function<UUID, Kept.Place> kept,
        MorphConfig config,
        Supplier<Urgency> urgency,
        Function<String, Duration> validation) {}
