// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.item.StateKind;
import org.kmorph.kmp.message.Extent;
import org.kmorph.kmp.message.TransferData;
import org.kmorph.morph.Kept;

/** The states that daemons keep, in the machine's page cache: it outlives them, and goes with power. */
final class SimulatedKept {
    private final World world;
    private final Map<UUID, State> states = new HashMap<>();

    SimulatedKept(World world) {
        this.world = world;
    }

    /** As one daemon reaches it. */
    Kept.Place of(Life daemon, UUID operation) {
        return new Kept.Place() {
            @Override
            public Kept begin(List<Region> regions) throws IOException {
                Scheduler.alive(daemon);
                room();
                states.put(operation, new State(regions));
                return states.get(operation);
            }

            @Override
            public Kept reopen() throws IOException {
                Scheduler.alive(daemon);
                if (!states.containsKey(operation)) {
                    throw new IOException("nothing is kept of " + operation);
                }
                return states.get(operation);
            }

            @Override
            public void remove() {
                Scheduler.alive(daemon);
                states.remove(operation);
            }
        };
    }

    void powerFails() {
        states.clear();
    }

    /** Operations of which something is kept. */
    int count() {
        return states.size();
    }

    private void room() throws IOException {
        if (world.disk().full()) {
            throw new IOException("the disk is full");
        }
    }

    private final class State implements Kept {
        private final List<Region> regions;
        private final Map<Long, byte[]> bytes = new HashMap<>();
        private final Map<Long, Long> rounds = new HashMap<>();

        State(List<Region> regions) {
            this.regions = List.copyOf(regions);
        }

        @Override
        public List<Region> regions() {
            return regions;
        }

        @Override
        public long size(long region) {
            return bytes.getOrDefault(region, new byte[0]).length;
        }

        @Override
        public void write(TransferData data) throws IOException {
            room();
            Long before = rounds.put(data.region(), data.round());
            boolean memory = regions.stream()
                    .anyMatch(region -> region.region() == data.region() && region.kind() == StateKind.MEMORY);
            if (!memory && before != null && before != data.round()) {
                bytes.remove(data.region());
            }
            ByteBuffer from = data.chunk().data().duplicate();
            for (Extent extent : data.chunk().extents()) {
                byte[] part = new byte[(int) extent.length()];
                if (extent.content() == Extent.Content.BYTES) {
                    from.get(part);
                }
                int end = (int) (extent.offset() + extent.length());
                byte[] whole = bytes.getOrDefault(data.region(), new byte[0]);
                whole = Arrays.copyOf(whole, Math.max(whole.length, end));
                System.arraycopy(part, 0, whole, (int) extent.offset(), part.length);
                bytes.put(data.region(), whole);
            }
        }

        @Override
        public ByteBuffer read(long region, long offset, int length) {
            byte[] whole = bytes.getOrDefault(region, new byte[0]);
            return ByteBuffer.wrap(Arrays.copyOfRange(whole, (int) offset, (int) offset + length));
        }

        @Override
        public void close() {
            // nothing is held open
        }
    }
}
