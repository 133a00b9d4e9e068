// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.nio.file.Path;
import java.time.Duration;
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

    InstanceRecord forTermination() {
        return new InstanceRecord(instance, true);
    }

    /** As a journal entry. */
    Entry entry() {
        InstanceSpec spec = instance.spec();
        Map<String, String> fields = new TreeMap<>();
        fields.put("id", Integer.toString(instance.id()));
        fields.put("state", instance.state().name());
        fields.put("since", instance.since().toString());
        fields.put("detail", instance.detail());
        fields.put("cid", Long.toString(instance.contextId()));
        fields.put("image_release", instance.imageRelease());
        fields.put("terminating", Boolean.toString(terminating));
        fields.put("host", spec.host());
        fields.put("kernel", spec.kernel().toString());
        fields.put("monitor", Boolean.toString(spec.monitor()));
        instance.endpoint().ifPresent(value -> fields.put("endpoint", value.toString()));
        spec.kernelCommandLine().ifPresent(value -> fields.put("cmdline", value));
        spec.initramfs().ifPresent(value -> fields.put("initramfs", value.toString()));
        spec.heartbeatTimeout().ifPresent(value -> fields.put("heartbeat_timeout", value.toString()));
        spec.cpus().ifPresent(value -> fields.put("cpus", value));
        spec.memoryBytes().ifPresent(value -> fields.put("memory_bytes", Long.toString(value)));
        put(fields, "workload.", spec.workload());
        put(fields, "not_isolated.", instance.notIsolated());
        return Entry.of(KIND, instance.name(), fields).about(instance.name());
    }

    /** From a journal entry. @throws IllegalArgumentException when it is none of ours; the message says which field */
    static InstanceRecord of(Entry entry) {
        Map<String, String> fields = entry.fields();
        InstanceSpec spec = new InstanceSpec(
                entry.key(),
                required(fields, "host"),
                Path.of(required(fields, "kernel")),
                Optional.ofNullable(fields.get("cmdline")),
                Optional.ofNullable(fields.get("initramfs")).map(Path::of),
                Boolean.parseBoolean(required(fields, "monitor")),
                Optional.ofNullable(fields.get("heartbeat_timeout")).map(Duration::parse),
                Optional.ofNullable(fields.get("cpus")),
                Optional.ofNullable(fields.get("memory_bytes")).map(Long::valueOf),
                list(fields, "workload."));
        Instance instance = new Instance(
                Integer.parseInt(required(fields, "id")),
                spec,
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
