// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.transport.Endpoint;

/**
 * What the journal keeps of an instance: kind {@code instance}, key its name.
 *
 * @param instance the instance
 * @param terminating whether its end was asked for by a person, who wants all of it gone
 */
record InstanceRecord(Instance instance, boolean terminating) {
    static final String KIND = "instance";

    InstanceRecord with(InstanceState state, Instant since, String detail) {
        return new InstanceRecord(
                new Instance(
                        instance.id(),
                        instance.spec(),
                        state,
                        since,
                        detail,
                        instance.contextId(),
                        instance.imageRelease(),
                        instance.endpoint(),
                        instance.notIsolated()),
                terminating);
    }

    InstanceRecord with(Endpoint endpoint, List<String> notIsolated) {
        return new InstanceRecord(
                new Instance(
                        instance.id(),
                        instance.spec(),
                        instance.state(),
                        instance.since(),
                        instance.detail(),
                        instance.contextId(),
                        instance.imageRelease(),
                        Optional.of(endpoint),
                        notIsolated),
                terminating);
    }

    /** The same kernel under another name. */
    InstanceRecord as(String name, boolean monitor, Instant since, String detail) {
        return new InstanceRecord(
                new Instance(
                        instance.id(),
                        instance.spec().as(name, monitor),
                        instance.state(),
                        since,
                        detail,
                        instance.contextId(),
                        instance.imageRelease(),
                        instance.endpoint(),
                        instance.notIsolated()),
                terminating);
    }

    /** Whether something of it was begun that nobody does now, where nobody holds its name. */
    boolean unfinished() {
        return switch (Lifecycle.resumption(instance.state(), terminating)) {
            case ADOPT, KEEP -> false;
            case REMOVE, FENCE, RELEASE -> true;
        };
    }

    InstanceRecord forTermination() {
        return new InstanceRecord(instance, true);
    }

    /** The opposite: whoever ends it decides what becomes of the rest. */
    InstanceRecord toBeKept() {
        return new InstanceRecord(instance, false);
    }

    /** As a journal entry. */
    Entry entry() {
        Map<String, String> fields = new TreeMap<>(instance.spec().fields());
        fields.put("id", Integer.toString(instance.id()));
        fields.put("state", instance.state().name());
        fields.put("since", instance.since().toString());
        fields.put("detail", instance.detail());
        fields.put("cid", Long.toString(instance.contextId()));
        fields.put("image_release", instance.imageRelease());
        fields.put("terminating", Boolean.toString(terminating));
        instance.endpoint().ifPresent(value -> fields.put("endpoint", value.toString()));
        put(fields, "not_isolated.", instance.notIsolated());
        return Entry.of(KIND, instance.name(), fields).about(instance.name());
    }

    /** From a journal entry. @throws IllegalArgumentException when it is none of ours; the message says which field */
    static InstanceRecord of(Entry entry) {
        Map<String, String> fields = entry.fields();
        Instance instance = new Instance(
                Integer.parseInt(required(fields, "id")),
                InstanceSpec.of(entry.key(), fields),
                InstanceState.valueOf(required(fields, "state")),
                Instant.parse(required(fields, "since")),
                required(fields, "detail"),
                Long.parseLong(required(fields, "cid")),
                required(fields, "image_release"),
                Optional.ofNullable(fields.get("endpoint")).map(Endpoint::parse),
                list(fields, "not_isolated."));
        return new InstanceRecord(instance, Boolean.parseBoolean(required(fields, "terminating")));
    }

    private static String required(Map<String, String> fields, String name) {
        String value = fields.get(name);
        if (value == null) {
            throw new IllegalArgumentException("field \"" + name + "\" is missing");
        }
        return value;
    }

    private static void put(Map<String, String> fields, String prefix, List<String> values) {
        for (int index = 0; index < values.size(); index++) {
            fields.put(prefix + index, values.get(index));
        }
    }

    private static List<String> list(Map<String, String> fields, String prefix) {
        List<String> values = new ArrayList<>();
        for (String value = fields.get(prefix + 0); value != null; value = fields.get(prefix + values.size())) {
            values.add(value);
        }
        return values;
    }
}
