// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import org.kmorph.api.health.Health;

/**
 * How many instances are silent at once, and whether these are so many that the monitor is to suspect itself first. Thread-safe.
 *
 * <p>Two kernels of five may well die together; half of all instances do not, unless something that they share with the monitor fails:
 * the machine was suspended, the transport hangs, the monitor starves. Below {@link #SMALLEST} instances no share means anything. Those
 * that have failed are no part of the crowd any more, nor is one whose kernel answered: that was heard.
 */
final class Crowd {
    private static final int SMALLEST = 4;

    private int living;
    private int silent;

    synchronized void joined() {
        living++;
    }

    /** One of them is judged otherwise than before. */
    synchronized void moved(Health before, Health now) {
        count(before, -1);
        count(now, 1);
        living += (before == Health.FAILED ? 1 : 0) - (now == Health.FAILED ? 1 : 0);
    }

    synchronized void left(Health last) {
        count(last, -1);
        living -= last == Health.FAILED ? 0 : 1;
    }

    private void count(Health health, int by) {
        silent += health == Health.SUSPECT ? by : 0;
    }

    synchronized boolean distrustsItself() {
        return living >= SMALLEST && silent * 2 > living;
    }
}
