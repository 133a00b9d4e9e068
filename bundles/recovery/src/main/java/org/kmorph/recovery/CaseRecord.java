// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.recovery.RecoveryState;
import org.kmorph.kmp.message.Cause;

/** A recovery as entries of the journal: of kind {@link #KIND}, keyed by the operation, one for each step that it came to. */
final class CaseRecord {
    static final String KIND = "recovery";

    private static final String EVIDENCE = "evidence.";
    private static final String NO_CAPTURE = "false";
    private static final String SPEC = "spec.";
    private static final String TOLD = "told";

    private CaseRecord() {}

    static Entry entry(Healing healing) {
        Patient patient = healing.patient();
        Treatment treatment = healing.treatment();
        Map<String, String> fields = new TreeMap<>();
        fields.put("state", healing.state().name());
        fields.put("detail", healing.detail());
        fields.put("starts", Integer.toString(healing.starts()));
        fields.put("pause", healing.pause().toString());
        healing.kernel().ifPresent(path -> fields.put("kernel", path.toString()));
        fields.put("id", Integer.toString(patient.instanceId()));
        fields.put("cause", patient.cause().name());
        fields.put("reason", patient.reason());
        fields.put("by", patient.by());
        fields.put("boot_id", Long.toString(patient.bootId()));
        fields.put("crashes", Integer.toString(patient.crashes()));
        patient.evidence().forEach((name, value) -> fields.put(EVIDENCE + name, value));
        patient.spec().fields().forEach((name, value) -> fields.put(SPEC + name, value));
        fields.put("action", treatment.action().name());
        treatment.standby().ifPresent(standby -> fields.put("standby", standby));
        fields.put("fence_timeout", treatment.fenceTimeout().toString());
        fields.put("capture", treatment.capture().map(Duration::toString).orElse(NO_CAPTURE));
        fields.put("max_crashes", Integer.toString(treatment.maxCrashes()));
        fields.put("window", treatment.window().toString());
        fields.put("fallback_crashes", Integer.toString(treatment.fallbackCrashes()));
        treatment.knownGood().ifPresent(path -> fields.put("known_good", path.toString()));
        fields.put("backoff", treatment.backoff().toString());
        fields.put("backoff_most", treatment.backoffMost().toString());
        fields.put("tries", Integer.toString(treatment.tries()));
        fields.put(TOLD, Boolean.toString(healing.told()));
        Entry entry = Entry.of(KIND, patient.operation().toString(), fields).about(patient.name());
        return healing.told() ? entry.closing() : entry;
    }

    /** @throws IllegalArgumentException when it is none of ours; the message says which field */
    static Healing healing(Entry entry) {
        Map<String, String> fields = entry.fields();
        String name = entry.instance().orElseThrow(() -> new IllegalArgumentException("it names no instance"));
        Patient patient = new Patient(
                UUID.fromString(entry.key()),
                Integer.parseInt(required(fields, "id")),
                InstanceSpec.of(name, below(fields, SPEC)),
                Cause.valueOf(required(fields, "cause")),
                required(fields, "reason"),
                required(fields, "by"),
                Long.parseLong(required(fields, "boot_id")),
                Integer.parseInt(required(fields, "crashes")),
                below(fields, EVIDENCE));
        Treatment treatment = new Treatment(
                Treatment.Action.valueOf(required(fields, "action")),
                Optional.ofNullable(fields.get("standby")),
                Duration.parse(required(fields, "fence_timeout")),
                capture(required(fields, "capture")),
                Integer.parseInt(required(fields, "max_crashes")),
                Duration.parse(required(fields, "window")),
                Integer.parseInt(required(fields, "fallback_crashes")),
                Optional.ofNullable(fields.get("known_good")).map(Path::of),
                Duration.parse(required(fields, "backoff")),
                Duration.parse(required(fields, "backoff_most")),
                Integer.parseInt(required(fields, "tries")));
        RecoveryState state = RecoveryState.valueOf(required(fields, "state"));
        return new Healing(
                patient,
                treatment,
                state,
                required(fields, "detail"),
                Optional.ofNullable(fields.get("kernel")).map(Path::of),
                Integer.parseInt(required(fields, "starts")),
                Duration.parse(required(fields, "pause")),
                isTold(fields, state));
    }

    /** A former version said nothing of it: its records of the end are all there is. */
    private static boolean isTold(Map<String, String> fields, RecoveryState state) {
        return Optional.ofNullable(fields.get(TOLD)).map(Boolean::parseBoolean).orElse(state.over());
    }

    /** A recovery as all its records tell it, which are at least one, oldest first. */
    static RecoveryReport report(List<JournalRecord> records) {
        JournalRecord last = records.get(records.size() - 1);
        Healing healing = healing(last.entry());
        Patient patient = healing.patient();
        List<RecoveryReport.Step> steps = new ArrayList<>();
        Optional<Instant> ended = Optional.empty();
        for (JournalRecord record : records) {
            Map<String, String> fields = record.entry().fields();
            RecoveryState state = RecoveryState.valueOf(required(fields, "state"));
            if (ended.isPresent()) {
                break; // that it was told is no step
            }
            steps.add(new RecoveryReport.Step(state, record.time(), required(fields, "detail")));
            ended = state.over() ? Optional.of(record.time()) : Optional.empty();
        }
        return new RecoveryReport(
                patient.operation().toString(),
                patient.name(),
                patient.instanceId(),
                healing.state(),
                patient.cause().name(),
                patient.reason(),
                patient.by(),
                records.get(0).time(),
                ended,
                steps,
                patient.evidence());
    }

    private static Optional<Duration> capture(String value) {
        return value.equals(NO_CAPTURE) ? Optional.empty() : Optional.of(Duration.parse(value));
    }

    private static String required(Map<String, String> fields, String name) {
        return Optional.ofNullable(fields.get(name))
                .orElseThrow(() -> new IllegalArgumentException("field \"" + name + "\" is missing"));
    }

    private static Map<String, String> below(Map<String, String> fields, String prefix) {
        Map<String, String> found = new TreeMap<>();
        fields.forEach((name, value) -> {
            if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), value);
            }
        });
        return found;
    }
}
