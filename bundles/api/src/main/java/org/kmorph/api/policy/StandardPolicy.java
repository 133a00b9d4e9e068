// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.policy;

import java.time.Duration;

/** The settings that every part of the daemon may look at. */
public final class StandardPolicy {
    public static final String PRODUCTION = "production";

    public static final String DEVELOPMENT = "development";

    /** Which standard values count where none is set. */
    public static final PolicySetting<String> PROFILE = PolicySetting.choice(
            "profile", "which standard values count where none is set", PRODUCTION, PRODUCTION, DEVELOPMENT);

    /** How long an instance may be silent. */
    public static final PolicySetting<Duration> HEARTBEAT_TIMEOUT = PolicySetting.span(
                    "heartbeat-timeout",
                    "how long an instance may be silent before it has failed",
                    Duration.ofSeconds(1),
                    Duration.ofMillis(30),
                    Duration.ofHours(1))
            .under(PRODUCTION, "1s")
            .under(DEVELOPMENT, "60s");

    /** Whether a failed instance is healed without anybody asking. */
    public static final PolicySetting<Boolean> AUTO_HEAL =
            PolicySetting.enabled("auto-heal", "heal a failed instance without being asked", true);

    /** How long the validation of a morph may take. */
    public static final PolicySetting<Duration> MORPH_TIMEOUT = PolicySetting.span(
            "morph-timeout",
            "how long the new kernel of a morph may take to be validated before it is rolled back",
            Duration.ofSeconds(60),
            Duration.ofSeconds(1),
            Duration.ofHours(1));

    private StandardPolicy() {}
}
