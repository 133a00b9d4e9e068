// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import org.kmorph.vmcore.kernel.Vmcoreinfo;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.PhysicalMemory;
import org.kmorph.vmcore.memory.RangedMemory;

/** Looks for VMCOREINFO at the start of every page, in large reads, by several threads; the first there is counts. */
final class VmcoreinfoScan {
    private static final int CHUNK = 1 << 20;

    private VmcoreinfoScan() {}

    static Optional<Vmcoreinfo> find(RangedMemory memory, int threads) throws IOException, InterruptedException {
        List<Extent> chunks = new ArrayList<>();
        for (Extent extent : memory.extents()) {
            for (long at = extent.start(); at < extent.end(); at += CHUNK) {
                chunks.add(new Extent(at, Math.min(CHUNK, extent.end() - at)));
            }
        }
        ConcurrentSkipListMap<Long, Vmcoreinfo> found = new ConcurrentSkipListMap<>();
        Crew.run(threads, chunks.size(), () -> new Reader(memory, chunks, found));
        return Optional.ofNullable(found.firstEntry()).map(Map.Entry::getValue);
    }

    /** One thread's buffers. */
    private static final class Reader implements Crew.Worker {
        private final RangedMemory memory;
        private final List<Extent> chunks;
        private final ConcurrentSkipListMap<Long, Vmcoreinfo> found;
        private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
        private final byte[] page = new byte[PhysicalMemory.PAGE];

        Reader(RangedMemory memory, List<Extent> chunks, ConcurrentSkipListMap<Long, Vmcoreinfo> found) {
            this.memory = memory;
            this.chunks = chunks;
            this.found = found;
        }

        @Override
        public void work(long piece) throws IOException {
            if (!found.isEmpty()) {
                // chunks are taken in their order: what is left lies behind
                return;
            }
            Extent extent = chunks.get((int) piece);
            memory.read(extent.start(), chunk.clear().limit((int) extent.length()));
            for (int i = 0; i < chunk.limit(); i += PhysicalMemory.PAGE) {
                if (chunk.get(i) == 11) {
                    chunk.get(i, page);
                    long at = extent.start() + i;
                    Vmcoreinfo.at(page, at, memory).ifPresent(info -> found.put(at, info));
                }
            }
        }

        @Override
        public void close() {
            chunk.clear();
        }
    }
}
