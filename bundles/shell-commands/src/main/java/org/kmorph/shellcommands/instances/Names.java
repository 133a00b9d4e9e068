// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.time.TimeSource;

/** Instances by the names that people type. */
public final class Names {
    /** How the parameter is called in every command that takes an instance. */
    public static final String NAME = "NAME";

    private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

    private Names() {}

    /** @throws CommandException with exit code 4 when there is none of that name */
    public static Instance find(Instances instances, String name) throws CommandException {
        return instances
                .find(name)
                .orElseThrow(() -> new CommandException(
                        ExitCode.NO_SUCH_INSTANCE, "no instance \"" + name + "\"; `list` shows those there are"));
    }

    /** The names that begin with the prefix. */
    public static List<String> beginning(Instances instances, String prefix) {
        return instances.list().stream()
                .map(Instance::name)
                .filter(name -> name.startsWith(prefix))
                .sorted()
                .toList();
    }

    /** The morph of an instance, if one is under way and there is anybody who knows. */
    static Optional<MorphStatus> morph(List<Morphs> morphs, String instance) {
        return morphs.stream()
                .flatMap(known -> known.list().stream())
                .filter(status -> status.instance().equals(instance))
                .findFirst();
    }

    /**
     * A person may end an instance that is being morphed, and its new kernel may run the workload all the same until the morph has seen to
     * that: till then nobody else is to be called so. Blocks.
     *
     * @return what is left of the patience
     * @throws CommandException when a morph is under way of one that is gone, and that lasts
     */
    static Duration awaitFree(
            Supplier<List<Morphs>> morphs, Instances instances, String name, TimeSource time, Duration patience)
            throws CommandException, InterruptedException {
        long deadline = time.nanos() + patience.toNanos();
        while (instances.find(name).isEmpty() && morph(morphs.get(), name).isPresent()) {
            if (time.nanos() - deadline >= 0) {
                throw new CommandException(
                        ExitCode.TIMED_OUT,
                        "a morph of an instance \"" + name
                                + "\" is not over, and its new kernel may run the workload; see"
                                + " `list`, and wait until it is gone, or use another name");
            }
            time.sleep(LOOK_AGAIN);
        }
        return Duration.ofNanos(deadline - time.nanos());
    }

    /** The same failure as a command's. */
    public static CommandException failure(InstanceException e) {
        ExitCode code =
                switch (e.reason()) {
                    case NO_SUCH_INSTANCE -> ExitCode.NO_SUCH_INSTANCE;
                    case TIMED_OUT -> ExitCode.TIMED_OUT;
                    case REFUSED, NOT_NOW, FAILED -> ExitCode.FAILED;
                };
        return new CommandException(code, e.getMessage(), e);
    }

    /** How long an operation may take: a little less than the command, so that it can still say what state it leaves. */
    static Duration patience(CommandContext context, Duration otherwise) {
        return context.duration("timeout")
                .map(given -> given.multipliedBy(9).dividedBy(10))
                .orElse(otherwise);
    }
}
