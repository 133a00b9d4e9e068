// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.memory;

import java.io.IOException;
import java.util.List;

/** A kernel's physical memory, in pages of 4096 bytes. */
public interface PhysicalMemory {
    /** Bytes in a page. */
    int PAGE = 4096;

    /** The runs of memory there are, ascending, whether or not a dump left out pages of them. */
    List<Extent> extents();

    /**
     * Reads a page.
     *
     * @param frame its address divided by {@link #PAGE}
     * @return whether it is there; else {@code into} is as it was
     * @throws IOException when it should be there and cannot be read or unpacked
     */
    boolean page(long frame, byte[] into) throws IOException;

    /**
     * Copies bytes that may be of many pages, where that is quicker than page by page.
     *
     * @return whether it was done; else {@code into} may hold some of them
     * @throws IOException as {@link #page}
     */
    default boolean copy(long address, byte[] into, int offset, int length) throws IOException {
        return false;
    }
}
