// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

/**
 * Whether so many instances are silent at once that the monitor is to suspect itself first. Pure.
 *
 * <p>Two kernels of five may well die together; half of all instances do not, unless something that they share with the monitor fails:
 * the machine was suspended, the transport hangs, the monitor starves. Below {@link #SMALLEST} instances no share means anything.
 */
final class Crowd {
    private static final int SMALLEST = 4;

    private Crowd() {}

    /**
     * @param watched how many are watched and were heard at least once
     * @param silent how many of these are suspect, or failed by silence, since the others answered last
     */
    static boolean distrustsItself(int watched, int silent) {
        return watched >= SMALLEST && silent * 2 > watched;
    }
}
