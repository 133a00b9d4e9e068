// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.kmorph.api.time.TimeSource;

/** Waits no time, and remembers how long it was asked to. */
final class FakeTime implements TimeSource {
    final List<Duration> waits = new CopyOnWriteArrayList<>();

    @Override
    public long nanos() {
        return 0;
    }

    @Override
    public Instant now() {
        return Instant.EPOCH;
    }

    @Override
    public void sleep(Duration time) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        waits.add(time);
    }
}
