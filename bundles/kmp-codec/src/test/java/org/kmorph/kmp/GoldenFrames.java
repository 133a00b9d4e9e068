// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import static org.kmorph.kmp.item.OperationState.CAPTURING;
import static org.kmorph.kmp.item.OperationState.FROZEN;
import static org.kmorph.kmp.item.OperationState.PREPARED;
import static org.kmorph.kmp.item.OperationState.TRANSFERRING;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.kmorph.kmp.item.AgentVersion;
import org.kmorph.kmp.item.Capabilities;
import org.kmorph.kmp.item.Check;
import org.kmorph.kmp.item.CpuRange;
import org.kmorph.kmp.item.Device;
import org.kmorph.kmp.item.Digest;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.Incompatible;
import org.kmorph.kmp.item.InstanceEntry;
import org.kmorph.kmp.item.KernelRelease;
import org.kmorph.kmp.item.Machine;
import org.kmorph.kmp.item.MemoryFile;
import org.kmorph.kmp.item.MemoryRange;
import org.kmorph.kmp.item.OperationStatus;
import org.kmorph.kmp.item.Peer;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.StateKind;
import org.kmorph.kmp.item.StateKindOffer;
import org.kmorph.kmp.item.Text;
import org.kmorph.kmp.item.Unpacked;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.item.WorkloadStatus;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.AgentState;
import org.kmorph.kmp.message.Cause;
import org.kmorph.kmp.message.Chunk;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.Compression;
import org.kmorph.kmp.message.Condition;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.Extent;
import org.kmorph.kmp.message.HealthStatus;
import org.kmorph.kmp.message.HeartbeatAnswer;
import org.kmorph.kmp.message.HeartbeatRequest;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.MorphNegotiate;
import org.kmorph.kmp.message.MorphPrepare;
import org.kmorph.kmp.message.MorphRollback;
import org.kmorph.kmp.message.MorphValidate;
import org.kmorph.kmp.message.NegotiateStage;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.Outcome;
import org.kmorph.kmp.message.RecoverComplete;
import org.kmorph.kmp.message.RecoverPrepare;
import org.kmorph.kmp.message.RecoverReclaim;
import org.kmorph.kmp.message.RetryAnswer;
import org.kmorph.kmp.message.Severity;
import org.kmorph.kmp.message.TransferData;
import org.kmorph.kmp.message.TransferEnd;
import org.kmorph.kmp.message.TransferPull;
import org.kmorph.kmp.message.ValidateScope;
import org.kmorph.kmp.message.VmcoreComplete;
import org.kmorph.kmp.message.VmcoreData;
import org.kmorph.kmp.message.VmcoreStart;
import org.kmorph.kmp.message.WorkloadState;
import org.kmorph.kmp.wire.Limits;

/**
 * The messages whose frames stand in docs/kmp.md under the same names, and which src/test/c/golden.c builds too. The sequence is
 * the place in the list, from 1; the timestamp is 1,000,000,000 times it.
 */
final class GoldenFrames {
    static final UUID OPERATION = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");

    private GoldenFrames() {}

    static Map<String, Message> messages() {
        Map<String, Message> all = new LinkedHashMap<>();
        heartbeats(all);
        recovery(all);
        capture(all);
        morph(all);
        answers(all);
        return all;
    }

    private static void heartbeats(Map<String, Message> all) {
        all.put("KMP_HEARTBEAT_REQ", new HeartbeatRequest(0x1f, List.of()));
        all.put(
                "KMP_HEARTBEAT_RSP",
                new HeartbeatAnswer(
                        7,
                        AgentState.READY,
                        WorkloadState.RUNNING,
                        4,
                        0x1122334455667788L,
                        3_600_000,
                        1L << 30,
                        768L << 20,
                        1250,
                        75,
                        420,
                        900,
                        0,
                        0,
                        List.of(
                                new KernelRelease("6.12.9-amd64"),
                                new Capabilities(0x19),
                                new AgentVersion("0.1.0"),
                                new WorkloadStatus(42, -1, 1, false, 5_000_000_000L),
                                new OperationStatus(OPERATION, Role.SOURCE, TRANSFERRING, 0))));
        all.put(
                "KMP_HEALTH_STATUS",
                new HealthStatus(
                        7,
                        Condition.MEMORY_PRESSURE,
                        Severity.WARNING,
                        WorkloadState.RUNNING,
                        0x1122334455667788L,
                        40L << 20,
                        50L << 20,
                        1 << Condition.MEMORY_PRESSURE,
                        List.of(new Text("40 MiB of 1 GiB available"))));
    }

    private static void recovery(Map<String, Message> all) {
        all.put(
                "KMP_RECOVER_PREPARE",
                new RecoverPrepare(OPERATION, 9, Cause.PANIC, 0x99aabbccddeeff01L, 41, List.of()));
        all.put(
                "KMP_RECOVER_RECLAIM",
                new RecoverReclaim(
                        OPERATION,
                        9,
                        42,
                        List.of(
                                new MemoryRange(0x1_4000_0000L, 0x4000_0000L, Limits.NO_INSTANCE),
                                new CpuRange(4, 2, 7),
                                new Device(Limits.NO_INSTANCE, "0000:00:05.0"))));
        all.put(
                "KMP_RECOVER_COMPLETE",
                new RecoverComplete(
                        OPERATION,
                        9,
                        10,
                        Outcome.DONE,
                        43,
                        List.of(new InstanceEntry(7, 9, true, "web"), new InstanceEntry(10, 12, true, "db"))));
    }

    private static void capture(Map<String, Message> all) {
        all.put(
                "KMP_VMCORE_START",
                new VmcoreStart(
                        OPERATION,
                        9,
                        1,
                        4 << 20,
                        Compression.ZSTD,
                        0,
                        100_000_000,
                        List.of(
                                new MemoryRange(0x10_0000, 0x20_0000, Limits.NO_INSTANCE),
                                new MemoryFile(0, 0x800_0000, 0x1000, "/run/9/memory"))));
        Chunk chunk = new Chunk(
                true,
                false,
                List.of(
                        new Extent(0x10_0000, 8, Extent.Content.BYTES),
                        new Extent(0x10_1000, 4096, Extent.Content.ZERO),
                        new Extent(0x10_2000, 4096, Extent.Content.UNREADABLE)),
                ascii("8 bytes!"));
        all.put("KMP_VMCORE_DATA", new VmcoreData(OPERATION, 1, 65536, chunk, List.of()));
        all.put(
                "KMP_VMCORE_COMPLETE",
                new VmcoreComplete(OPERATION, 1, Outcome.PARTIAL, 73736, 4096, List.of(sha256(1))));
    }

    private static void morph(Map<String, Message> all) {
        all.put("KMP_MORPH_PREPARE", new MorphPrepare(OPERATION, Role.SOURCE, 0, 60_000, 11, List.of()));
        all.put(
                "KMP_MORPH_NEGOTIATE",
                new MorphNegotiate(
                        OPERATION,
                        NegotiateStage.AGREE,
                        Compression.ZSTD,
                        DigestAlgorithm.XXH64.code(),
                        List.of(new StateKindOffer(StateKind.MEMORY, 1, 1, 2, 64L << 20))));
        all.put(
                "KMP_MORPH_TRANSFER_STATE pull",
                new TransferPull(
                        OPERATION, Limits.ALL_REGIONS, 2, 0, false, 8 << 20, List.of(new Peer("/run/b.sock"))));
        Chunk chunk = new Chunk(
                true,
                false,
                List.of(new Extent(0x2000, 5, Extent.Content.BYTES), new Extent(0x3000, 4096, Extent.Content.ZERO)),
                ascii("dirty"));
        all.put("KMP_MORPH_TRANSFER_STATE data", new TransferData(OPERATION, 3, 2, 4096, true, chunk, List.of()));
        all.put("KMP_MORPH_TRANSFER_STATE end", new TransferEnd(OPERATION, 3, 2, 8197, true, List.of(xxh64(3, 2))));
        all.put("KMP_MORPH_VALIDATE", new MorphValidate(OPERATION, ValidateScope.FINAL, List.of()));
        all.put("KMP_MORPH_COMMIT", new MorphCommit(OPERATION, CommitPhase.QUIESCE, 250_000, List.of()));
        all.put("KMP_MORPH_ROLLBACK", new MorphRollback(OPERATION, Cause.TIMEOUT, List.of(new Text("too slow"))));
    }

    private static void answers(Map<String, Message> all) {
        all.put(
                "operation answer, what there is to move",
                new OperationAnswer(
                        MessageType.MORPH_NEGOTIATE_ANSWER,
                        OPERATION,
                        PREPARED,
                        Verdict.NONE,
                        List.of(
                                new KernelRelease("6.1.0-amd64"),
                                new Capabilities(0x2ff),
                                new Machine("x86_64"),
                                new StateKindOffer(StateKind.MEMORY, 1, 2, 1, 64L << 20),
                                new Region(3, StateKind.MEMORY, 0, 64L << 20, "heap"))));
        all.put(
                "operation answer, rehearsed",
                new OperationAnswer(
                        MessageType.MORPH_VALIDATE_ANSWER,
                        OPERATION,
                        TRANSFERRING,
                        Verdict.YES,
                        List.of(new Check(Verdict.YES, 1500, "memory: 64 MiB mapped"))));
        all.put(
                "operation answer, refused",
                new OperationAnswer(
                        MessageType.MORPH_NEGOTIATE_ANSWER,
                        OPERATION,
                        PREPARED,
                        Verdict.NO,
                        List.of(new Incompatible(ErrorCode.NOT_SUPPORTED, StateKind.SOCKETS, "no TCP_REPAIR"))));
        all.put(
                "acknowledgement",
                new Acknowledgement(
                        MessageType.VMCORE_START_ANSWER,
                        OPERATION,
                        CAPTURING,
                        Verdict.NONE,
                        0,
                        0x20_0000,
                        0,
                        List.of()));
        all.put(
                "commit answer",
                new CommitAnswer(OPERATION, FROZEN, Verdict.NONE, 249_000, 123_456_789_000L, List.of()));
        all.put(
                "KMP_ERROR",
                new ErrorAnswer(
                        ErrorCode.UNSUPPORTED_VERSION,
                        0x0001,
                        1,
                        1,
                        2,
                        List.of(new Text("version 2 is not spoken here"))));
        all.put("KMP_RETRY", new RetryAnswer(200, 0x0201, ErrorCode.BUSY, List.of()));
        all.put(
                "acknowledgement of a round",
                new Acknowledgement(
                        MessageType.MORPH_TRANSFER_STATE_ANSWER,
                        OPERATION,
                        TRANSFERRING,
                        Verdict.NONE,
                        5_000,
                        0,
                        0,
                        List.of(new Unpacked(20_000))));
    }

    private static Digest xxh64(long region, long round) {
        return new Digest(region, round, DigestAlgorithm.XXH64, ByteBuffer.wrap(new byte[] {
            (byte) 0xef, (byte) 0xcd, (byte) 0xab, (byte) 0x89, 0x67, 0x45, 0x23, 1
        }));
    }

    private static Digest sha256(long share) {
        byte[] value = new byte[32];
        for (int i = 0; i < value.length; i++) {
            value[i] = (byte) i;
        }
        return new Digest(share, 0, DigestAlgorithm.SHA256, ByteBuffer.wrap(value));
    }

    private static ByteBuffer ascii(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }
}
