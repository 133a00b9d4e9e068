// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.policy;

import java.util.List;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.PolicyException;
import org.kmorph.api.policy.PolicySetting;

/** Settings by the names that people type. */
final class Settings {
    /** How the parameter is called in every command that takes a setting. */
    static final String SETTING = "SETTING";

    private Settings() {}

    static List<String> beginning(Policies policies, String prefix) {
        return policies.settings().stream()
                .map(PolicySetting::name)
                .filter(name -> name.startsWith(prefix))
                .toList();
    }

    static CommandException failure(PolicyException e) {
        return new CommandException(e.refused() ? ExitCode.USAGE : ExitCode.FAILED, e.getMessage(), e);
    }
}
