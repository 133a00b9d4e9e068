// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthMonitor.HealthReport;

/** Health reports of instances that are there. */
final class Reports {
    private Reports() {}

    /** @throws CommandException when the instance is not watched */
    static HealthReport find(HealthMonitor health, String name) throws CommandException {
        return health.report(name)
                .orElseThrow(() -> new CommandException(
                        ExitCode.FAILED,
                        "instance \"" + name + "\" is not watched; it was spawned with --monitor=false"));
    }
}
