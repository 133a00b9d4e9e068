// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.message.TransferData;
import org.kmorph.morph.Kept;

/** A place in which the final round is not kept. */
record PlantedKept(Kept.Place place) implements Kept.Place {
    @Override
    public Kept begin(List<Region> regions) throws IOException {
        return new Forgetful(place.begin(regions));
    }

    @Override
    public Kept reopen() throws IOException {
        return place.reopen();
    }

    @Override
    public void remove() throws IOException {
        place.remove();
    }

    private record Forgetful(Kept kept) implements Kept {
        @Override
        public List<Region> regions() {
            return kept.regions();
        }

        @Override
        public long size(long region) {
            return kept.size(region);
        }

        @Override
        public void write(TransferData data) throws IOException {
            if (!data.finalRound()) {
                kept.write(data);
            }
        }

        @Override
        public ByteBuffer read(long region, long offset, int length) throws IOException {
            return kept.read(region, offset, length);
        }

        @Override
        public void close() throws IOException {
            kept.close();
        }
    }
}
