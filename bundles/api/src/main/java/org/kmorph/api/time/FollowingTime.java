// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.time;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Each call goes to the clocks that there are then. */
record FollowingTime(Supplier<TimeSource> provider) implements TimeSource {
    @Override
    public long nanos() {
        return provider.get().nanos();
    }

    @Override
    public Instant now() {
        return provider.get().now();
    }

    @Override
    public void sleep(Duration time) throws InterruptedException {
        provider.get().sleep(time);
    }

    @Override
    public <T> T await(CompletableFuture<T> future, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        return provider.get().await(future, patience);
    }
}
