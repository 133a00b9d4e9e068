// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.PayloadWriter;

/** A type-length-value item after a payload's fixed structure. The records' components stand in wire order. Immutable. */
public sealed interface Item
        permits KernelRelease,
                Capabilities,
                AgentVersion,
                WorkloadStatus,
                OperationStatus,
                Text,
                Machine,
                StateKindOffer,
                Region,
                Incompatible,
                Digest,
                Check,
                Peer,
                Unpacked,
                MemoryRange,
                CpuRange,
                Device,
                InstanceEntry,
                MemoryFile {
    /** Its type on the wire. */
    int typeCode();

    /** Writes its value, without type and length. */
    void write(PayloadWriter out);
}
