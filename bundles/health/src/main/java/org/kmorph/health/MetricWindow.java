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
    private int nextRecent;
    private long newest = Long.MIN_VALUE;
    private long newestEndNanos = Long.MIN_VALUE;
    private double last;

    // the newest bucket: thousands of heartbeats a second come here, so it is no division and few lines of cache for
    // each
    private double newestSum;
    private double newestPeak;
    private int newestCount;

    /** @param nowNanos never less than before */
    void record(long nowNanos, double value) {
        if (nowNanos >= newestEndNanos) {
            advance(nowNanos);
        }
        newestPeak = newestCount == 0 ? value : Math.max(newestPeak, value);
        newestSum += value;
        newestCount++;
        remember(value);
        last = value;
    }

    private void remember(double value) {
        recent[nextRecent] = value;
        nextRecent = nextRecent + 1 == RECENT ? 0 : nextRecent + 1;
        recorded = Math.min(RECENT, recorded + 1);
    }

    /**
     * Begins with what another window knew: its means are spread evenly over the time that they are of, so that they are what they were.
     * For a window that is new.
     */
    void resume(long nowNanos, Windows known) {
        if (known.recent().isEmpty()) {
            return;
        }
        advance(nowNanos);
        double five = Math.max(0, (known.mean5() * 60 - known.mean1() * 12) / 48);
        double fifteen = Math.max(0, (known.mean15() * BUCKETS - known.mean5() * 60) / 120);
        for (int back = 0; back < BUCKETS; back++) {
            double mean = back < 12 ? known.mean1() : back < 60 ? five : fifteen;
            int index = index(newest - back);
            sum[index] = mean;
            peak[index] = mean;
            count[index] = 1;
        }
        newestSum = known.mean1();
        newestPeak = known.peak();
        newestCount = 1;
        known.recent().forEach(this::remember);
        last = known.last();
    }

    /** Empties the buckets of the time in which nothing was recorded. */
    private void advance(long nowNanos) {
        long bucket = Math.floorDiv(nowNanos, BUCKET_NANOS);
        if (newest == Long.MIN_VALUE) {
            newest = bucket - 1;
        }
        keepNewest();
        for (long empty = Math.max(newest + 1, bucket - BUCKETS + 1); empty <= bucket; empty++) {
            sum[index(empty)] = 0;
            peak[index(empty)] = 0;
            count[index(empty)] = 0;
        }
        if (bucket > newest) {
            newest = bucket;
            newestEndNanos = (bucket + 1) * BUCKET_NANOS;
            newestSum = 0;
            newestPeak = 0;
            newestCount = 0;
        }
    }

    private void keepNewest() {
        int index = index(newest);
        sum[index] = newestSum;
        peak[index] = newestPeak;
        count[index] = newestCount;
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

    /** The mean over the newest buckets, each of which weighs as much however much was recorded in it; the last value when none has any. */
    private double mean(int buckets) {
        double total = 0;
        int filled = 0;
        for (int back = 0; back < buckets; back++) {
            int index = index(newest - back);
            if (count[index] > 0) {
                total += sum[index] / count[index];
                filled++;
            }
        }
        return filled == 0 ? last : total / filled;
    }

    private List<Double> recentOldestFirst() {
        List<Double> values = new ArrayList<>(recorded);
        for (int i = nextRecent + RECENT - recorded; i < nextRecent + RECENT; i++) {
            values.add(recent[i % RECENT]);
        }
        return values;
    }
}
