// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.Map;
import java.util.TreeMap;
import org.kmorph.api.policy.PolicySetting;

/** What people can set about how an instance is judged, besides its heartbeat timeout. */
final class HealthSettings {
    static final PolicySetting<String> POLICY = PolicySetting.text(
            "health-policy",
            "which policy turns silence into a judgement",
            "the name of a policy that is installed: timeout, phi",
            TimeoutPolicy.NAME,
            text -> text);

    /** By policy, then by name: what is meant for another policy than the one that judges waits for that one. */
    static final PolicySetting<Map<String, Map<String, String>>> OPTIONS = PolicySetting.text(
            "health-options",
            "what the health policy is to be told",
            "POLICY.NAME=VALUE, with commas between, or nothing: phi.threshold=8",
            "",
            HealthSettings::read);

    private HealthSettings() {}

    private static Map<String, Map<String, String>> read(String text) {
        Map<String, Map<String, String>> options = new TreeMap<>();
        if (text.isEmpty()) {
            return options;
        }
        for (String one : text.split(",", -1)) {
            int dot = one.indexOf('.');
            int equals = one.indexOf('=');
            if (dot < 1 || equals < dot + 2) {
                throw new IllegalArgumentException("\"" + one + "\" is not POLICY.NAME=VALUE");
            }
            options.computeIfAbsent(one.substring(0, dot), name -> new TreeMap<>())
                    .put(one.substring(dot + 1, equals), one.substring(equals + 1));
        }
        return options;
    }
}
