// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

/** A disk that is never asked to sync. */
final class PlantedDisk extends Disk {
    @Override
    boolean sync() {
        return true;
    }
}
