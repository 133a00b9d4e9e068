// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Proves that the simulator bites: each planted fault is found, and how many seeds that took is printed. */
class PlantTest {
    private static final int SEEDS_AT_MOST = 1_000;

    @ParameterizedTest
    @EnumSource
    void aPlantedFaultIsFound(Plant plant) {
        Optional<World.Result> found = Optional.empty();
        long seed = plant.from();
        for (; found.isEmpty() && seed < plant.from() + SEEDS_AT_MOST; seed++) {
            World.Result result = new World(seed, plant.wiring(), false, line -> {}).run();
            found = Optional.of(result).filter(one -> one.failure().isPresent());
        }
        assertThat(found).as("%s within %d seeds", plant, SEEDS_AT_MOST).isPresent();
        System.out.printf(
                "%s: found after %d seeds: %s%n",
                plant, seed - plant.from(), found.get().failure().orElseThrow().getMessage());
    }
}
