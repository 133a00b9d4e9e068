// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.function.Function;
import java.util.function.Supplier;
import org.kmorph.api.health.HealthListener;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Transport;
import org.kmorph.kmpclient.KmpClient;

/**
 * What the monitor stands on. Services that may be replaced are asked for when they are needed.
 *
 * @param predecessor what the monitor before this one knows of an instance, as long as it is there
 * @param teller one thread, which tells listeners; rejects what it has no room for
 * @param wake makes whoever calls {@link Monitor#turn} do so at once; called from any thread
 */
public record MonitorSurroundings(
        TimeSource time,
        KmpClient client,
        Supplier<List<Transport>> transports,
        Supplier<Policies> policies,
        Supplier<List<HealthListener>> listeners,
        Function<String, Optional<HealthReport>> predecessor,
        ExecutorService teller,
        Runnable wake) {}
