// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.kmp.item.Capability;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.StateKind;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.AgentState;
import org.kmorph.kmp.message.Cause;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.Compression;
import org.kmorph.kmp.message.Condition;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.NegotiateStage;
import org.kmorph.kmp.message.Outcome;
import org.kmorph.kmp.message.Severity;
import org.kmorph.kmp.message.TransferStep;
import org.kmorph.kmp.message.ValidateScope;
import org.kmorph.kmp.message.Want;
import org.kmorph.kmp.message.WorkloadState;
import org.kmorph.kmp.wire.Coded;
import org.kmorph.kmp.wire.Limits;

/** Every number of the codec has its name in kernel/include/kmp.h, with the same value, and the other way round. */
class HeaderConstantsTest {
    /** What only the C side needs a name for: bits and counts that are no constants of the codec, or are checked elsewhere. */
    private static final Pattern ONLY_IN_C =
            Pattern.compile("KMP_(I_|CHUNK_|EXTENT_|MAX_REGIONS|REMEMBERED_|PREPARE_|PROCESS_).*"
                    + "|KMP_(PORT|VERSION.*|ANSWER|SIZE|PACKED|MAGIC|HEADER_LEN|IO_(STUCK|UNMEASURED))");

    private final Map<String, Long> codec = new LinkedHashMap<>();

    @Test
    void codecAndHeaderHaveTheSameNumbers(@TempDir Path directory) throws Exception {
        collect();
        StringBuilder source = new StringBuilder("#include \"kmp.h\"\n");
        codec.forEach((name, value) -> source.append(String.format(
                "_Static_assert((%s) == %dull, \"%s is %d in the codec\");%n", name, value, name, value)));
        Path file = Files.writeString(directory.resolve("constants.c"), source);
        Gcc.run(List.of("-fsyntax-only", file.toString()));
    }

    @Test
    void headerHasNoNumberThatTheCodecLacks() throws Exception {
        collect();
        assertThat(headerNames()).isNotEmpty().allSatisfy(name -> assertThat(
                        codec.containsKey(name) || ONLY_IN_C.matcher(name).matches())
                .as(name)
                .isTrue());
    }

    private void collect() throws IllegalAccessException {
        for (MessageType type : MessageType.values()) {
            if (!type.name().endsWith("_ANSWER")) {
                codec.put("KMP_" + type, (long) type.code());
            }
        }
        enumeration("AGENT_", AgentState.values());
        enumeration("WORKLOAD_", WorkloadState.values());
        enumeration("S_", Severity.values());
        enumeration("OP_", OperationState.values());
        enumeration("VERDICT_", Verdict.values());
        enumeration("ROLE_", Role.values());
        enumeration("DIGEST_", DigestAlgorithm.values());
        enumeration("COMPRESS_", Compression.values());
        enumeration("NEGOTIATE_", NegotiateStage.values());
        enumeration("TRANSFER_", TransferStep.values());
        enumeration("VALIDATE_", ValidateScope.values());
        enumeration("COMMIT_", CommitPhase.values());
        enumeration("CAUSE_", Cause.values());
        enumeration("OUTCOME_", Outcome.values());
        constants("E_", ErrorCode.class);
        constants("C_", Condition.class);
        constants("WANT_", Want.class);
        constants("CAP_", Capability.class);
        constants("KIND_", StateKind.class);
        constants("", Limits.class);
        codec.put("KMP_FRAME_DEADLINE_MS", codec.remove("KMP_FRAME_DEADLINE_MILLIS"));
        codec.put("KMP_RETRY_BASE_MS", Backoff.BASE_MILLIS);
        codec.put("KMP_RETRY_CAP_MS", Backoff.CAP_MILLIS);
        codec.put("KMP_RETRY_MAX", (long) Backoff.MAX_REPETITIONS);
    }

    private <E extends Enum<E> & Coded> void enumeration(String prefix, E[] values) {
        for (E value : values) {
            codec.put("KMP_" + prefix + value.name(), (long) value.code());
        }
    }

    private void constants(String prefix, Class<?> holder) throws IllegalAccessException {
        for (Field field : holder.getFields()) {
            codec.put("KMP_" + prefix + field.getName(), ((Number) field.get(holder)).longValue());
        }
    }

    private static List<String> headerNames() throws IOException {
        String header = Files.readString(SpecificationPage.root().resolve("kernel/include/kmp.h"));
        return Pattern.compile("(?m)^(?:#define |\\t)(KMP_[A-Z0-9_]+)(?= = | [0-9(])")
                .matcher(header)
                .results()
                .map((MatchResult match) -> match.group(1))
                .toList();
    }
}
