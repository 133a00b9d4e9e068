// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.message.TransferData;

/**
 * A workload's state as it was moved through the daemon's hands: it is kept until the new kernel has answered that it runs, for the case
 * that another one must take its place. It outlives daemons, and means nothing once the machine has died. Thread-safe.
 */
public interface Kept extends Closeable {
    /** Where the state of one morph is kept. */
    interface Place {
        /** Begins to keep the state of these regions. */
        Kept begin(List<Region> regions) throws IOException;

        /** What a former daemon kept. */
        Kept reopen() throws IOException;

        /** Forgets all of it, if there is any. */
        void remove() throws IOException;
    }

    List<Region> regions();

    /** Length of what is kept of a region, in bytes. */
    long size(long region);

    /** Takes a chunk. A region that is no memory is sent anew as a whole in each round. */
    void write(TransferData data) throws IOException;

    /** Some of a region, from an offset; what lies beyond the end of what was written is zeros. */
    ByteBuffer read(long region, long offset, int length) throws IOException;

    @Override
    void close() throws IOException;
}
