// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.ArrayList;
import java.util.List;
import org.kmorph.api.health.HealthMonitor.Windows;

/**
 * One metric over 15 minutes, in buckets of five seconds: constant memory whatever the rate of heartbeats. Not thread-safe.
 */
final class MetricWindow {
    private static final long BUCKET_NANOS = 5_000_000_000L;
    private static final int BUCKETS = 180;
    private static final int RECENT = 60;

    private final double[] sum = new double[BUCKETS];
    private final double[] peak = new double[BUCKETS];
    private final int[] count = new int[BUCKETS];
    private final double[] recent = new double[RECENT];
    private int recorded;
    private long newest = Long.MIN_VALUE;
    private double last;

    /** @param nowNanos never less than before */
    void record(long nowNanos, double value) {
        advance(nowNanos);
        int index = index(newest);
        peak[index] = count[index] == 0 ? value : Math.max(peak[index], value);
        sum[index] += value;
        count[index]++;
        recent[recorded++ % RECENT] = value;
        if (recorded == 2 * RECENT) {
            recorded = RECENT;
        }
        last = value;
    }

    /** Empties the buckets of the time in which nothing was recorded. */
    private void advance(long nowNanos) {
        long bucket = Math.floorDiv(nowNanos, BUCKET_NANOS);
        if (newest == Long.MIN_VALUE) {
            newest = bucket - 1;
        }
        for (long empty = Math.max(newest + 1, bucket - BUCKETS + 1); empty <= bucket; empty++) {
            sum[index(empty)] = 0;
            peak[index(empty)] = 0;
            count[index(empty)] = 0;
        }
        newest = Math.max(newest, bucket);
    }

    private static int index(long bucket) {
        return (int) Math.floorMod(bucket, (long) BUCKETS);
    }

    /** What the windows hold at this moment; all zero when nothing was ever recorded. */
    Windows windows(long nowNanos) {
        if (newest == Long.MIN_VALUE) {
            return new Windows(0, 0, 0, 0, 0, List.of());
        }
        advance(nowNanos);
        double highest = 0;
        for (int index = 0; index < BUCKETS; index++) {
            highest = Math.max(highest, peak[index]);
        }
        return new Windows(last, mean(12), mean(60), mean(BUCKETS), highest, recentOldestFirst());
    }

    /** The mean of what was recorded in the newest buckets; the last value when that is nothing. */
    private double mean(int buckets) {
        double total = 0;
        long values = 0;
        for (int back = 0; back < buckets; back++) {
            int index = index(newest - back);
            total += sum[index];
            values += count[index];
        }
        return values == 0 ? last : total / values;
    }

    private List<Double> recentOldestFirst() {
        int known = Math.min(recorded, RECENT);
        List<Double> values = new ArrayList<>(known);
        for (int i = recorded - known; i < recorded; i++) {
            values.add(recent[i % RECENT]);
        }
        return values;
    }
}
