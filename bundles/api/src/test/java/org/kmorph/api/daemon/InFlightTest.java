// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class InFlightTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final InFlight inFlight = new InFlight();

    @Test
    void isDrainedWhenTheLastCallEnds() throws InterruptedException {
        InFlight.Call first = inFlight.enter();
        InFlight.Call second = inFlight.enter();
        first.close();
        Thread ends = new Thread(second::close);
        assertThat(inFlight.drain(Duration.ofMillis(1))).isFalse();
        ends.start();
        assertThat(inFlight.drain(PATIENCE)).isTrue();
        ends.join();
    }

    @Test
    void whoeverCameTooLateIsWaitedForNextTime() {
        InFlight.Call call = inFlight.enter();
        assertThat(inFlight.drain(Duration.ZERO)).isFalse();
        InFlight.Call late = inFlight.enter();
        call.close();
        assertThat(inFlight.drain(Duration.ZERO)).isFalse();
        late.close();
        assertThat(inFlight.drain(Duration.ZERO)).isTrue();
    }

    @Test
    void anInterruptEndsTheWaitAndIsKept() {
        InFlight.Call call = inFlight.enter();
        Thread.currentThread().interrupt();
        assertThat(inFlight.drain(PATIENCE)).isFalse();
        assertThat(Thread.interrupted()).isTrue();
        call.close();
    }
}
