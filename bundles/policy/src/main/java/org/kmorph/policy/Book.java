// SPDX-License-Identifier: Apache-2.0
package org.kmorph.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.kmorph.api.policy.Policies.Document;
import org.kmorph.api.policy.Policies.Source;
import org.kmorph.api.policy.PolicySetting;
import org.kmorph.api.policy.StandardPolicy;

/**
 * All that was set, and what counts by it. Immutable; pure.
 *
 * @param set what was set
 */
record Book(Document set) {
    static final Book EMPTY = new Book(new Document(Map.of(), Map.of()));

    /**
     * A value and where it comes from.
     *
     * @param value as text; readable by its setting
     */
    record Found(String value, Source source) {}

    /** With a value set, or without one. */
    Book with(Optional<String> instance, String setting, Optional<String> value) {
        if (instance.isEmpty()) {
            return new Book(new Document(changed(set.defaults(), setting, value), set.instances()));
        }
        Map<String, Map<String, String>> instances = new TreeMap<>(set.instances());
        Map<String, String> own = changed(instances.getOrDefault(instance.get(), Map.of()), setting, value);
        if (own.isEmpty()) {
            instances.remove(instance.get());
        } else {
            instances.put(instance.get(), own);
        }
        return new Book(new Document(set.defaults(), instances));
    }

    private static Map<String, String> changed(Map<String, String> values, String setting, Optional<String> value) {
        Map<String, String> changed = new TreeMap<>(values);
        changed.remove(setting);
        value.ifPresent(text -> changed.put(setting, text));
        return changed;
    }

    /**
     * What counts.
     *
     * @param instance whose; empty for one of which nothing is known
     * @param spawned what was given for this setting when the instance was spawned
     */
    Found find(Optional<String> instance, PolicySetting<?> setting, Optional<String> spawned) {
        Map<String, String> own =
                instance.map(name -> set.instances().get(name)).orElse(Map.of());
        List<Found> sources = new ArrayList<>();
        add(sources, Optional.ofNullable(own.get(setting.name())), Source.INSTANCE);
        add(sources, spawned, Source.SPAWN);
        add(sources, profile(own).flatMap(setting::standard), Source.PROFILE);
        add(sources, Optional.ofNullable(set.defaults().get(setting.name())), Source.DEFAULTS);
        add(sources, profile(set.defaults()).flatMap(setting::standard), Source.PROFILE);
        return sources.stream()
                .filter(found -> isReadable(setting, found.value()))
                .findFirst()
                .orElse(new Found(setting.standard(), Source.BUILT_IN));
    }

    private static void add(List<Found> sources, Optional<String> value, Source source) {
        value.ifPresent(text -> sources.add(new Found(text, source)));
    }

    private static Optional<String> profile(Map<String, String> values) {
        return Optional.ofNullable(values.get(StandardPolicy.PROFILE.name()));
    }

    /** One that was written by a version with other bounds may not be; it then does not count. */
    private static boolean isReadable(PolicySetting<?> setting, String value) {
        try {
            setting.read(value);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
