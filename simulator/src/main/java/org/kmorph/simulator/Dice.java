// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.List;
import java.util.SplittableRandom;
import org.kmorph.api.time.Randomness;

/** All chance of a world, from its seed. */
final class Dice implements Randomness {
    private final SplittableRandom random;

    Dice(long seed) {
        this(new SplittableRandom(seed));
    }

    private Dice(SplittableRandom random) {
        this.random = random;
    }

    /** Other chance, that does not depend on how often this one is asked afterwards. */
    Dice split() {
        return new Dice(random.split());
    }

    @Override
    public long nextLong() {
        return random.nextLong();
    }

    boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    /** Both included. */
    int between(int least, int most) {
        return random.nextInt(least, most + 1);
    }

    /** A time in nanoseconds, of whole microseconds, both ends included. */
    long nanos(int leastMillis, int mostMillis) {
        return 1_000L * random.nextLong(leastMillis * 1_000L, mostMillis * 1_000L + 1);
    }

    <T> T of(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }
}
