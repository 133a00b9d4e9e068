// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instance;

/** Health reports of instances that are there. */
final class Reports {
    private Reports() {}

    /** @throws CommandException when the instance is not watched */
    static HealthReport find(HealthMonitor health, Instance instance) throws CommandException {
        return health.report(instance.name())
                .orElseThrow(() -> new CommandException(
                        ExitCode.FAILED,
                        "instance \"" + instance.name() + "\" is not watched: it "
                                + (instance.spec().monitor()
                                        ? "is " + instance.state()
                                        : "was spawned with --monitor=false")));
    }
}
