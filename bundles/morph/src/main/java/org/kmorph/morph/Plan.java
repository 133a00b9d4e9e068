// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.kmorph.api.journal.Entry;
import org.kmorph.morph.core.Mark;

/**
 * What the journal keeps of a morph: kind {@code morph}, key its operation.
 *
 * @param instance whose kernel is replaced
 * @param sourceId the old kernel's instance id
 * @param targetId the new kernel's, once it was spawned: what bears its name may be another by now
 * @param kernel the new kernel's image
 * @param direct whether the agents reach each other
 */
record Plan(
        UUID operation,
        String instance,
        int sourceId,
        Optional<Integer> targetId,
        Path kernel,
        boolean cold,
        boolean direct,
        Instant since,
        String from,
        Mark mark) {
    static final String KIND = "morph";

    /** What the new kernel is called until it takes the name. */
    String target() {
        return instance + "-next";
    }

    /** What the old kernel is called afterwards. */
    String aside() {
        return instance + "-old";
    }

    /** The operation in which the old kernel's agent takes back what it released in this one: the same for every daemon. */
    UUID wayBack() {
        return UUID.nameUUIDFromBytes((operation + " back").getBytes(StandardCharsets.UTF_8));
    }

    Plan marked(Mark written) {
        return new Plan(operation, instance, sourceId, targetId, kernel, cold, direct, since, from, written);
    }

    Plan toward(int target) {
        return new Plan(operation, instance, sourceId, Optional.of(target), kernel, cold, direct, since, from, mark);
    }

    Entry entry(String detail) {
        return Entry.of(KIND, operation.toString(), fields(detail)).about(instance);
    }

    /**
     * The last record of it. Of one that has FAILED healing takes note, by the source's id, or the target's.
     *
     * @param target the new kernel's instance id, if there still is one
     */
    Entry end(String outcome, String why, Optional<Integer> target) {
        Map<String, String> fields = fields(outcome + ": " + why);
        fields.put("outcome", outcome);
        fields.remove("target_id");
        target.ifPresent(id -> fields.put("target_id", id.toString()));
        return Entry.of(KIND, operation.toString(), fields).about(instance).closing();
    }

    private Map<String, String> fields(String detail) {
        Map<String, String> fields = new TreeMap<>();
        fields.put("mark", mark.name());
        fields.put("source_id", Integer.toString(sourceId));
        targetId.ifPresent(id -> fields.put("target_id", id.toString()));
        fields.put("kernel", kernel.toString());
        fields.put("cold", Boolean.toString(cold));
        fields.put("direct", Boolean.toString(direct));
        fields.put("since", since.toString());
        fields.put("from", from);
        fields.put("detail", detail);
        return fields;
    }

    /** @throws IllegalArgumentException when it is none of ours */
    static Plan of(Entry entry) {
        Map<String, String> fields = entry.fields();
        return new Plan(
                UUID.fromString(entry.key()),
                entry.instance().orElseThrow(() -> new IllegalArgumentException("it is about no instance")),
                Integer.parseInt(fields.getOrDefault("source_id", "0")),
                Optional.ofNullable(fields.get("target_id")).map(Integer::valueOf),
                Path.of(fields.getOrDefault("kernel", "")),
                Boolean.parseBoolean(fields.get("cold")),
                Boolean.parseBoolean(fields.get("direct")),
                Instant.parse(fields.getOrDefault("since", "1970-01-01T00:00:00Z")),
                fields.getOrDefault("from", ""),
                Mark.valueOf(fields.getOrDefault("mark", "")));
    }
}
