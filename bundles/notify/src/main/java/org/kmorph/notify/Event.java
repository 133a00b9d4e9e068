// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.recovery.RecoveryReport;

/**
 * Something that people are told. What each kind holds is described in docs/notifications.md.
 *
 * @param id tells one from another; the same when one is told again
 * @param kind {@code health}, {@code trouble}, {@code rebooted}, {@code recovery} or {@code test}
 * @param at when, by the wall clock
 * @param instance the name of the instance that it is about; empty for none
 * @param more what else there is to say, by name: texts, numbers, booleans, lists and maps of these
 */
record Event(String id, String kind, Instant at, String instance, Map<String, Object> more) {

    /** Stands at the end of a queue. */
    static final Event END = new Event("", "", Instant.EPOCH, "", Map.of());

    private static Event of(String kind, Instant at, String instance, Map<String, Object> more) {
        return new Event(UUID.randomUUID().toString(), kind, at, instance, more);
    }

    static Event health(HealthReport report, Health before, Instant at) {
        Map<String, Object> more = new LinkedHashMap<>();
        more.put("health", report.health().name());
        more.put("before", before.name());
        more.put("reason", report.reason());
        more.put("policy", report.policy());
        report.kernelAnswers().ifPresent(answers -> more.put("kernel_answers", answers));
        report.kernelRelease().ifPresent(release -> more.put("kernel", release));
        more.put("troubles", report.troubles());
        return of("health", at, report.instance(), more);
    }

    static Event trouble(HealthReport report, String trouble, Instant at) {
        return of(
                "trouble",
                at,
                report.instance(),
                Map.of("trouble", trouble, "health", report.health().name()));
    }

    static Event rebooted(HealthReport report, Instant at) {
        return of("rebooted", at, report.instance(), Map.of());
    }

    /** What is known of the memory that was saved, told as soon as it is. */
    private static final List<String> OF_THE_MEMORY = List.of("vmcore", "vmcore_verdict", "crash_signature");

    /** The newest step of a recovery; the last one tells it whole. */
    static Event recovery(RecoveryReport report, Instant at) {
        Map<String, Object> more = new LinkedHashMap<>();
        more.put("instance_id", report.instanceId());
        more.put("operation", report.operation());
        more.put("state", report.state().name());
        more.put("cause", report.cause());
        more.put("reason", report.reason());
        more.put("by", report.by());
        more.put("begun", report.begun().toString());
        List<RecoveryReport.Step> steps = report.steps();
        more.put("detail", steps.isEmpty() ? "" : steps.get(steps.size() - 1).detail());
        report.ended().ifPresent(ended -> more.put("ended", ended.toString()));
        OF_THE_MEMORY.stream()
                .filter(report.evidence()::containsKey)
                .forEach(name -> more.put(name, report.evidence().get(name)));
        if (report.state().over()) {
            more.put("steps", steps.stream().map(Event::step).toList());
            more.put("evidence", report.evidence());
        }
        String id = report.operation() + "-" + steps.size();
        return new Event(id, "recovery", at, report.instance(), more);
    }

    private static Map<String, Object> step(RecoveryReport.Step step) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("state", step.state().name());
        fields.put("at", step.at().toString());
        fields.put("detail", step.detail());
        return fields;
    }

    static Event test(String by, Instant at) {
        return of("test", at, "", Map.of("by", by));
    }

    /** One JSON object in UTF-8. */
    byte[] json() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", id);
        fields.put("event", kind);
        fields.put("time", at.toString());
        if (!instance.isEmpty()) {
            fields.put("instance", instance);
        }
        fields.putAll(more);
        try {
            return JSON.std.asBytes(fields);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
