// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.PolicyException;
import org.kmorph.api.policy.PolicySetting;
import org.kmorph.api.policy.StandardPolicy;

/** Policies by which every heartbeat is due a millisecond early. */
final class HastyPolicies implements Policies {
    private final Policies policies;

    HastyPolicies(Policies policies) {
        this.policies = policies;
    }

    @Override
    @SuppressWarnings("unchecked") // what was read for a setting is of its type
    public <T> T value(String instance, PolicySetting<T> setting) {
        T value = policies.value(instance, setting);
        return setting.name().equals(StandardPolicy.HEARTBEAT_TIMEOUT.name())
                ? (T) ((Duration) value).minusMillis(1)
                : value;
    }

    @Override
    public List<Effective> effective(Optional<String> instance) {
        return policies.effective(instance);
    }

    @Override
    public List<PolicySetting<?>> settings() {
        return policies.settings();
    }

    @Override
    public void set(Optional<String> instance, String setting, String value) throws PolicyException {
        policies.set(instance, setting, value);
    }

    @Override
    public void unset(Optional<String> instance, String setting) throws PolicyException {
        policies.unset(instance, setting);
    }

    @Override
    public Document export() {
        return policies.export();
    }

    @Override
    public void replace(Document document) throws PolicyException {
        policies.replace(document);
    }
}
