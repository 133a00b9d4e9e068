// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import org.kmorph.api.instance.InstanceListener;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.time.Randomness;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmpclient.KmpClient;

/**
 * What the registry stands on. Services that may be replaced are asked for when they are needed.
 *
 * @param maxInstances how many instances there may be at once
 * @param listeners those to tell of changes; {@link Registry#listenersChanged} says that they are others
 * @param keepers resume instances after a restart; as many at once as there are
 * @param announcer one thread, which tells listeners
 */
public record RegistrySurroundings(
        InstanceDirectories directories,
        int maxInstances,
        Supplier<Journal> journal,
        Supplier<KmpClient> client,
        Supplier<List<InstanceListener>> listeners,
        TimeSource time,
        Randomness randomness,
        ExecutorService keepers,
        ExecutorService announcer) {}
