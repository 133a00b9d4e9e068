// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.PolicySetting;
import org.kmorph.api.policy.PolicyTable;
import org.osgi.service.component.annotations.Component;

/** What people can set about healing, besides whether it is done. */
@Component
public final class RecoverySettings implements PolicyTable {
    static final PolicySetting<String> ACTION = PolicySetting.choice(
            "heal-action", "what becomes of the work of a failed instance", "respawn", "respawn", "stop");

    private static final String NO_STANDBY = "none";

    static final PolicySetting<Optional<String>> STANDBY = PolicySetting.text(
            "heal-standby",
            "the instance, spawned with --standby-for, that takes the work of a failed one over; without it heal-action counts",
            "the name of an instance, or " + NO_STANDBY,
            NO_STANDBY,
            RecoverySettings::standby);

    private static Optional<String> standby(String text) {
        if (text.equals(NO_STANDBY)) {
            return Optional.empty();
        }
        if (!InstanceSpec.isName(text)) {
            throw new IllegalArgumentException("no instance can be called so");
        }
        return Optional.of(text);
    }

    static final PolicySetting<Duration> FENCE_TIMEOUT = PolicySetting.span(
            "fence-timeout",
            "how long it may take until it is certain that a failed instance runs no more; after that it is held",
            Duration.ofSeconds(30),
            Duration.ofMillis(100),
            Duration.ofHours(1));

    static final PolicySetting<Long> MAX_CRASHES = PolicySetting.whole(
            "heal-max-crashes",
            "after more failures than this within heal-window nothing is started any more",
            5,
            1,
            1000);

    static final PolicySetting<Duration> WINDOW = PolicySetting.span(
            "heal-window",
            "over which time failures count",
            Duration.ofMinutes(10),
            Duration.ofSeconds(1),
            Duration.ofDays(7));

    static final PolicySetting<Long> FALLBACK = PolicySetting.whole(
            "heal-fallback-crashes",
            "at so many failures within heal-window the kernel that ran before is started instead; 0 for never",
            0,
            0,
            1000);

    static final PolicySetting<Duration> BACKOFF = PolicySetting.span(
            "heal-backoff",
            "the wait before the second start within heal-window; doubles with each",
            Duration.ofSeconds(1),
            Duration.ZERO,
            Duration.ofHours(1));

    static final PolicySetting<Duration> BACKOFF_MOST = PolicySetting.span(
            "heal-backoff-most",
            "what that wait does not grow beyond",
            Duration.ofSeconds(60),
            Duration.ZERO,
            Duration.ofDays(1));

    static final PolicySetting<Boolean> CAPTURE = PolicySetting.enabled(
            "heal-capture",
            "whether the memory of a failed instance that has some is saved before it is given back",
            true);

    static final PolicySetting<Duration> CAPTURE_TIMEOUT = PolicySetting.span(
            "heal-capture-timeout",
            "how long that may take; after that the instance is healed without it",
            Duration.ofMinutes(2),
            Duration.ofMillis(100),
            Duration.ofHours(1));

    /** A start is tried so often: what keeps it from succeeding may pass, as a host that is just being replaced. */
    private static final int TRIES = 5;

    @Override
    public List<PolicySetting<?>> settings() {
        return List.of(
                ACTION,
                STANDBY,
                FENCE_TIMEOUT,
                MAX_CRASHES,
                WINDOW,
                FALLBACK,
                BACKOFF,
                BACKOFF_MOST,
                CAPTURE,
                CAPTURE_TIMEOUT);
    }

    /**
     * The treatment that an instance's policy prescribes now.
     *
     * @param hasMemory whether there is anything of it to save
     */
    static Treatment of(Policies policies, String instance, Optional<Path> knownGood, boolean hasMemory) {
        boolean capture = hasMemory && policies.value(instance, CAPTURE);
        return new Treatment(
                Treatment.Action.valueOf(policies.value(instance, ACTION).toUpperCase(Locale.ROOT)),
                policies.value(instance, STANDBY),
                policies.value(instance, FENCE_TIMEOUT),
                capture ? Optional.of(policies.value(instance, CAPTURE_TIMEOUT)) : Optional.empty(),
                policies.value(instance, MAX_CRASHES).intValue(),
                policies.value(instance, WINDOW),
                policies.value(instance, FALLBACK).intValue(),
                knownGood,
                policies.value(instance, BACKOFF),
                policies.value(instance, BACKOFF_MOST),
                TRIES);
    }
}
