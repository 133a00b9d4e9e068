// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.util.List;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.Instances;

/** Instances by the names that people type. */
final class Names {
    /** How the parameter is called in every command that takes an instance. */
    static final String NAME = "NAME";

    private Names() {}

    /** @throws CommandException with exit code 4 when there is none of that name */
    static Instance find(Instances instances, String name) throws CommandException {
        return instances
                .find(name)
                .orElseThrow(() -> new CommandException(
                        ExitCode.NO_SUCH_INSTANCE, "no instance \"" + name + "\"; `list` shows those there are"));
    }

    /** The names that begin with the prefix. */
    static List<String> beginning(Instances instances, String prefix) {
        return instances.list().stream()
                .map(Instance::name)
                .filter(name -> name.startsWith(prefix))
                .sorted()
                .toList();
    }

    /** The same failure as a command's. */
    static CommandException failure(InstanceException e) {
        ExitCode code =
                switch (e.reason()) {
                    case NO_SUCH_INSTANCE -> ExitCode.NO_SUCH_INSTANCE;
                    case TIMED_OUT -> ExitCode.TIMED_OUT;
                    case REFUSED, FAILED -> ExitCode.FAILED;
                };
        return new CommandException(code, e.getMessage(), e);
    }
}
