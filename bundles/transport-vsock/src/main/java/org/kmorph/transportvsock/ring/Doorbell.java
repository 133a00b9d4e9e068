// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.ring;

/** Wakes the other side. */
@FunctionalInterface
public interface Doorbell {
    void ring(int vector);
}
