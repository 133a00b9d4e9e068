// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceListener;

/** A listener that is sometimes told late: whoever tells it was held up, and others were not. */
final class HesitantListener implements InstanceListener {
    private static final double HELD_UP = 0.1;
    private static final int MOST_MICROS = 500;

    private final World world;
    private final InstanceListener listener;

    HesitantListener(World world, InstanceListener listener) {
        this.world = world;
        this.listener = listener;
    }

    private void hesitate() {
        if (world.threads().chance(HELD_UP)) {
            try {
                world.time().sleep(Duration.ofNanos(1_000L * world.threads().between(1, MOST_MICROS)));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void changed(Instance instance) {
        hesitate();
        listener.changed(instance);
    }

    @Override
    public void gone(Instance last) {
        hesitate();
        listener.gone(last);
    }

    @Override
    public void ended(Instance instance, String how) {
        hesitate();
        listener.ended(instance, how);
    }
}
