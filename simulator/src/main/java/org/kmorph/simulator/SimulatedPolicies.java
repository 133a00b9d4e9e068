// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.PolicySetting;

/** Policies that were set before the world began, the same for all instances but for their standbys, and are not changed. */
final class SimulatedPolicies implements Policies {
    private final Map<String, String> set;
    private final Map<String, Object> read = new HashMap<>();

    private final Function<String, Optional<String>> standbys;

    /** @param standbys which instance stands by for which */
    SimulatedPolicies(Map<String, String> set, Function<String, Optional<String>> standbys) {
        this.set = set;
        this.standbys = standbys;
    }

    @Override
    @SuppressWarnings("unchecked") // what was read for a setting is of its type
    public <T> T value(String instance, PolicySetting<T> setting) {
        if (setting.name().equals("heal-standby")) {
            return (T) standbys.apply(instance);
        }
        return (T)
                read.computeIfAbsent(setting.name(), name -> setting.read(set.getOrDefault(name, setting.standard())));
    }

    @Override
    public List<Effective> effective(Optional<String> instance) {
        return List.of();
    }

    @Override
    public List<PolicySetting<?>> settings() {
        return List.of();
    }

    @Override
    public void set(Optional<String> instance, String setting, String value) {
        throw new UnsupportedOperationException("nobody sets a policy in a simulation");
    }

    @Override
    public void unset(Optional<String> instance, String setting) {
        throw new UnsupportedOperationException("nobody sets a policy in a simulation");
    }

    @Override
    public Document export() {
        return new Document(set, Map.of());
    }

    @Override
    public void replace(Document document) {
        throw new UnsupportedOperationException("nobody sets a policy in a simulation");
    }
}
