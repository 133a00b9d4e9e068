// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.kmorph.api.health.HealthPolicy;
import org.kmorph.api.policy.PolicySetting;
import org.kmorph.api.policy.PolicyTable;
import org.kmorph.api.policy.StandardPolicy;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** The settings of health, checked against the policies that are installed. */
@Component
public final class HealthTable implements PolicyTable {
    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    private volatile List<HealthPolicy> policies = List.of();

    @Override
    public List<PolicySetting<?>> settings() {
        return List.of(HealthSettings.POLICY, HealthSettings.OPTIONS);
    }

    @Override
    public void check(Values values) {
        String name = values.value(HealthSettings.POLICY);
        Optional<HealthPolicy> policy =
                policies.stream().filter(one -> one.name().equals(name)).findFirst();
        if (policy.isEmpty()) {
            throw new IllegalArgumentException("health-policy \"" + name + "\" is not installed; there is "
                    + policies.stream()
                            .map(HealthPolicy::name)
                            .distinct()
                            .sorted()
                            .collect(Collectors.joining(", ")));
        }
        Map<String, String> options = values.value(HealthSettings.OPTIONS).getOrDefault(name, Map.of());
        policy.get().judge(values.value(StandardPolicy.HEARTBEAT_TIMEOUT).toNanos(), options);
    }
}
