// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.kmorph.api.instance.InstanceState;

class LifecycleTest {
    /** Every legal move; all others are illegal. */
    private static final Map<String, InstanceState> MOVES = new TreeMap<>(Map.ofEntries(
            Map.entry("STARTING STARTED", InstanceState.RUNNING),
            Map.entry("STARTING START_FAILED", InstanceState.FENCING),
            Map.entry("STARTING END", InstanceState.FENCING),
            Map.entry("RUNNING END", InstanceState.FENCING),
            Map.entry("FENCING END", InstanceState.FENCING),
            Map.entry("HELD END", InstanceState.FENCING),
            Map.entry("FENCING FENCED", InstanceState.FENCED),
            Map.entry("FENCING FENCE_UNCONFIRMED", InstanceState.HELD),
            Map.entry("RUNNING NOT_ADOPTED", InstanceState.HELD),
            Map.entry("FENCED RELEASE", InstanceState.RELEASING),
            Map.entry("RELEASING RELEASE", InstanceState.RELEASING),
            Map.entry("RELEASING RELEASE_FAILED", InstanceState.HELD)));

    @Test
    void movesAreTheseAndNoOthers() {
        Map<String, InstanceState> found = new TreeMap<>();
        for (InstanceState state : InstanceState.values()) {
            for (Lifecycle.Event event : Lifecycle.Event.values()) {
                Lifecycle.after(state, event).ifPresent(to -> found.put(state + " " + event, to));
            }
        }
        assertThat(found).isEqualTo(MOVES);
    }

    @Test
    void nothingIsGivenBackThatIsNotFenced() {
        for (InstanceState state : InstanceState.values()) {
            if (Lifecycle.after(state, Lifecycle.Event.RELEASE).isPresent()) {
                assertThat(state).isIn(InstanceState.FENCED, InstanceState.RELEASING);
            }
        }
    }

    @Test
    void whatNobodyWasToldOfIsRemovedAfterARestart() {
        assertThat(Lifecycle.resumption(InstanceState.STARTING, false)).isEqualTo(Lifecycle.Resumption.REMOVE);
        assertThat(Lifecycle.resumption(InstanceState.RUNNING, false)).isEqualTo(Lifecycle.Resumption.ADOPT);
        assertThat(Lifecycle.resumption(InstanceState.HELD, true)).isEqualTo(Lifecycle.Resumption.KEEP);
    }
}
