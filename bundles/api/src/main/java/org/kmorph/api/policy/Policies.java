// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.policy;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.osgi.annotation.versioning.ProviderType;

/** What people have set. A service. Thread-safe; reading does not block once the journal has been read. */
@ProviderType
public interface Policies {
    /** How many instances may have settings of their own, whether they live or not. */
    int MAX_INSTANCES = 499;

    /** The value that counts for an instance now; there need not be one of that name. */
    <T> T value(String instance, PolicySetting<T> setting);

    /** All values that count, by name of the setting: for one instance, or for one of which nothing is known. */
    List<Effective> effective(Optional<String> instance);

    /** The settings that there are now, by name. */
    List<PolicySetting<?>> settings();

    /**
     * Sets a value, for one instance or for all that have none of their own. It is in the journal when this returns.
     *
     * @throws PolicyException when it is refused or could not be recorded; nothing has changed then
     */
    void set(Optional<String> instance, String setting, String value) throws PolicyException;

    /** Forgets a value that was set. @throws PolicyException as {@link #set} */
    void unset(Optional<String> instance, String setting) throws PolicyException;

    /** All that was set, and no more than that. */
    Document export();

    /** Makes this all that is set: every value of it, or none when one is refused. @throws PolicyException as {@link #set} */
    void replace(Document document) throws PolicyException;

    /**
     * A value that counts, and why.
     *
     * @param source where it comes from
     */
    record Effective(PolicySetting<?> setting, String value, Source source) {}

    /** Where a value comes from, the first counts. */
    enum Source {
        /** Set for the instance. */
        INSTANCE,
        /** Given when the instance was spawned. */
        SPAWN,
        /** The profile's. */
        PROFILE,
        /** Set for all. */
        DEFAULTS,
        /** The setting's own. */
        BUILT_IN
    }

    /**
     * Everything that was set.
     *
     * @param defaults for all, by setting
     * @param instances by instance, then by setting
     */
    record Document(Map<String, String> defaults, Map<String, Map<String, String>> instances) {
        public Document {
            defaults = Collections.unmodifiableMap(new TreeMap<>(defaults));
            Map<String, Map<String, String>> copy = new TreeMap<>();
            instances.forEach((name, values) -> copy.put(name, Collections.unmodifiableMap(new TreeMap<>(values))));
            instances = Collections.unmodifiableMap(copy);
        }
    }
}
