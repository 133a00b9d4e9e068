// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.kmorph.api.health.HealthPolicy;
import org.kmorph.api.health.HealthPolicy.Judge;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.StandardPolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out how an instance is to be judged. There is always somebody who judges: when the policy that was asked for is not installed, or
 * does not take its options, that is {@code timeout}, and people are told.
 */
final class Judges {
    private static final Logger LOG = LoggerFactory.getLogger(Judges.class);

    private final HealthPolicy fallback = new TimeoutPolicy();

    /** Nobody takes these away, not even the replacing of this bundle, in which their services go before the monitor does. */
    private final List<HealthPolicy> builtIn = List.of(fallback, new PhiPolicy());

    private final Supplier<Policies> policies;
    private final Supplier<List<HealthPolicy>> installed;

    Judges(Supplier<Policies> policies, Supplier<List<HealthPolicy>> installed) {
        this.policies = policies;
        this.installed = installed;
    }

    Judgement of(Instance instance) {
        Policies set = policies.get();
        long timeout =
                set.value(instance.name(), StandardPolicy.HEARTBEAT_TIMEOUT).toNanos();
        String name = set.value(instance.name(), HealthSettings.POLICY);
        Map<String, String> options =
                set.value(instance.name(), HealthSettings.OPTIONS).getOrDefault(name, Map.of());
        Optional<HealthPolicy> wanted = Stream.concat(builtIn.stream(), installed.get().stream())
                .filter(policy -> policy.name().equals(name))
                .findFirst();
        if (wanted.isEmpty()) {
            return instead(name, timeout, "is not installed");
        }
        String key = System.identityHashCode(wanted.get()) + " " + name + " " + timeout + " " + options;
        try {
            Judge judge = wanted.get().judge(timeout, options);
            return new Judgement(name, Optional.empty(), guarded(instance, name, judge, timeout), timeout, key);
        } catch (RuntimeException e) {
            return instead(name, timeout, "cannot judge: " + e.getMessage());
        }
    }

    private Judgement instead(String name, long timeout, String why) {
        String text = "health policy \"" + name + "\" " + why + "; " + fallback.name() + " judges instead";
        return new Judgement(
                fallback.name(), Optional.of(text), fallback.judge(timeout, Map.of()), timeout, "instead " + text);
    }

    private Judge guarded(Instance instance, String name, Judge judge, long timeout) {
        return new GuardedJudge(
                judge,
                fallback.judge(timeout, Map.of()),
                failure -> LOG.warn(
                        "instance \"{}\": health policy \"{}\" failed; {} judges instead",
                        instance.name(),
                        name,
                        fallback.name(),
                        failure));
    }
}
