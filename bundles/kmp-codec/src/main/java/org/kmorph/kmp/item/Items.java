// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** Lists of items. */
public final class Items {
    private Items() {}

    /** Reads items up to the end of the payload; unknown ones are skipped. */
    public static List<Item> read(PayloadReader in) throws MalformedPayloadException {
        if (in.remaining() == 0) {
            return List.of();
        }
        List<Item> items = new ArrayList<>();
        for (int count = 0; in.remaining() > 0; count++) {
            if (count == Limits.MAX_ITEMS) {
                throw in.malformed("more than " + Limits.MAX_ITEMS + " items");
            }
            int type = in.u16();
            readKnown(type, in.part(in.u16())).ifPresent(items::add);
        }
        return List.copyOf(items);
    }

    /** Writes items with their types and lengths. */
    public static void write(List<Item> items, PayloadWriter out) {
        if (items.size() > Limits.MAX_ITEMS) {
            throw new IllegalArgumentException(items.size() + " items; at most " + Limits.MAX_ITEMS + " are allowed");
        }
        for (Item item : items) {
            int head = out.length();
            out.u16(item.typeCode()).u16(0);
            item.write(out);
            out.patch16(head + 2, out.length() - head - 4);
        }
    }

    /** The first item of a type: the one that counts. */
    public static <T extends Item> Optional<T> first(List<Item> items, Class<T> type) {
        return items.stream().filter(type::isInstance).map(type::cast).findFirst();
    }

    /** All items of a type, in their order. */
    public static <T extends Item> List<T> all(List<Item> items, Class<T> type) {
        return items.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private static Optional<Item> readKnown(int type, PayloadReader value) throws MalformedPayloadException {
        return switch (type) {
            case 0x0001 -> Optional.of(KernelRelease.read(value));
            case 0x0002 -> Optional.of(Capabilities.read(value));
            case 0x0003 -> Optional.of(AgentVersion.read(value));
            case 0x0004 -> Optional.of(WorkloadStatus.read(value));
            case 0x0005 -> Optional.of(OperationStatus.read(value));
            case 0x0006 -> Optional.of(Text.read(value));
            case 0x0007 -> Optional.of(Machine.read(value));
            case 0x0010 -> Optional.of(StateKindOffer.read(value));
            case 0x0011 -> Optional.of(Region.read(value));
            case 0x0012 -> Optional.of(Incompatible.read(value));
            case 0x0013 -> Optional.of(Digest.read(value));
            case 0x0014 -> Optional.of(Check.read(value));
            case 0x0015 -> Optional.of(Peer.read(value));
            case 0x0016 -> Optional.of(Unpacked.read(value));
            case 0x0020 -> Optional.of(MemoryRange.read(value));
            case 0x0021 -> Optional.of(CpuRange.read(value));
            case 0x0022 -> Optional.of(Device.read(value));
            case 0x0023 -> Optional.of(InstanceEntry.read(value));
            case 0x0024 -> Optional.of(MemoryFile.read(value));
            default -> Optional.empty();
        };
    }
}
