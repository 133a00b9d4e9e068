// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.memory;

/**
 * A run of physical memory.
 *
 * @param start its first address
 * @param length in bytes
 */
public record Extent(long start, long length) {
    public long end() {
        return start + length;
    }
}
