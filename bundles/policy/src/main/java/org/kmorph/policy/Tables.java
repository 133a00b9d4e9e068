// SPDX-License-Identifier: Apache-2.0
package org.kmorph.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.kmorph.api.policy.PolicySetting;
import org.kmorph.api.policy.PolicyTable;

/** The settings that there are now. Thread-safe. */
final class Tables {
    private final List<PolicyTable> tables = new CopyOnWriteArrayList<>();

    /** Of two of one name, which happens while a bundle is replaced, the one that came last counts. */
    void add(PolicyTable table) {
        tables.add(table);
    }

    void remove(PolicyTable table) {
        tables.remove(table);
    }

    Map<String, PolicySetting<?>> settings() {
        Map<String, PolicySetting<?>> byName = new TreeMap<>();
        tables.forEach(table -> table.settings().forEach(setting -> byName.put(setting.name(), setting)));
        return byName;
    }

    /** @throws IllegalArgumentException when there is none of that name; the message says which there are */
    PolicySetting<?> find(String name) {
        Map<String, PolicySetting<?>> settings = settings();
        return Optional.ofNullable(settings.get(name))
                .orElseThrow(() -> new IllegalArgumentException(
                        "there is no setting \"" + name + "\"; there is " + String.join(", ", settings.keySet())));
    }

    /** @throws IllegalArgumentException when they do not go together */
    void check(PolicyTable.Values values) {
        tables.forEach(table -> table.check(values));
    }
}
