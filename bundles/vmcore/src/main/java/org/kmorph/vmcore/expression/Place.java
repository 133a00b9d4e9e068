// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.expression;

/**
 * Where a value is.
 *
 * @param address virtual
 * @param type its id
 * @param firstBit of a bit field, from the address on
 * @param bits of a bit field, else 0
 * @param open whether it is the first of an array whose length nobody knows
 */
public record Place(long address, int type, int firstBit, int bits, boolean open) {
    static Place of(long address, int type) {
        return new Place(address, type, 0, 0, false);
    }
}
