// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/** Many worlds, one after the other on each of some threads. */
final class Campaign {
    private final Supplier<Wiring> wiring;
    private final long from;
    private final int count;
    private final int threads;
    private final AtomicLong next;
    private final LongAdder nanos = new LongAdder();
    private final LongAdder events = new LongAdder();
    private final List<World.Result> failures = new ArrayList<>();

    Campaign(Supplier<Wiring> wiring, long from, int count, int threads) {
        this.wiring = wiring;
        this.from = from;
        this.count = count;
        this.threads = threads;
        next = new AtomicLong(from);
    }

    /**
     * What became of them.
     *
     * @param simulatedSeconds of all of them together
     * @param failures by seed
     */
    record Outcome(
            int seeds, double seconds, double simulatedSeconds, long events, int threads, List<World.Result> failures) {
        String summary() {
            return String.format(
                    Locale.ROOT,
                    "%d seeds in %.1f s on %d threads: %.0f seeds/s, %.0f events/s; %.0f s simulated, %.0f times real time;"
                            + " %d failed",
                    seeds,
                    seconds,
                    threads,
                    seeds / seconds,
                    events / seconds,
                    simulatedSeconds,
                    simulatedSeconds / seconds,
                    failures.size());
        }
    }

    Outcome run() throws InterruptedException {
        long start = System.nanoTime();
        List<Thread> workers = new ArrayList<>();
        for (int number = 0; number < threads; number++) {
            Thread worker = new Thread(this::work, "worlds-" + number);
            worker.start();
            workers.add(worker);
        }
        for (Thread worker : workers) {
            worker.join();
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        failures.sort(Comparator.comparingLong(World.Result::seed));
        return new Outcome(count, seconds, nanos.sum() / 1e9, events.sum(), threads, List.copyOf(failures));
    }

    private void work() {
        for (long seed = next.getAndIncrement(); seed < from + count; seed = next.getAndIncrement()) {
            World.Result result = new World(seed, wiring.get(), false, line -> {}).run();
            nanos.add(result.nanos());
            events.add(result.events());
            if (result.failure().isPresent()) {
                synchronized (failures) {
                    failures.add(result);
                }
            }
        }
    }
}
