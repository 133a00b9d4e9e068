// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.Instances;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code console NAME}: what an instance has written to its console. */
@Component
public final class ConsoleCommand implements Command {
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);

    private static final CommandSpec SPEC = CommandSpec.named("console")
            .summary("what an instance has written to its console")
            .description(
                    "As much as is kept: console.bytes of its host's configuration. Control characters are left out.")
            .reads(Role.VIEWER)
            .parameter(Names.NAME, ValueType.TEXT, "the instance")
            .flag("follow", "go on with what it writes, until it is gone or Ctrl-C")
            .example("console web --follow", "its boot, and whatever comes")
            .build();

    private final Instances instances;
    private final BundleContext bundle;

    @Activate
    public ConsoleCommand(@Reference Instances instances, BundleContext bundle) {
        this.instances = instances;
        this.bundle = bundle;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, InterruptedException {
        Instance instance = Names.find(instances, context.text(Names.NAME));
        try (ConsoleLog log =
                new ConsoleLog(Directories.of(bundle).instances().resolve(Integer.toString(instance.id())))) {
            boolean more = true;
            while (more) {
                // asked before reading: what it wrote last is shown also when it is gone meanwhile
                more = context.flag("follow") && isThere(instance);
                print(log, context);
                if (more) {
                    TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
                }
            }
        } catch (NoSuchFileException e) {
            throw new CommandException(ExitCode.FAILED, "\"" + instance.name() + "\" has no console log yet", e);
        } catch (IOException e) {
            throw new CommandException(
                    ExitCode.FAILED,
                    "the console log of \"" + instance.name() + "\" cannot be read: " + e.getMessage(),
                    e);
        }
        return ExitCode.DONE;
    }

    private static void print(ConsoleLog log, CommandContext context) throws IOException {
        for (String text = log.next(); !text.isEmpty(); text = log.next()) {
            context.out().print(text);
        }
        context.out().flush();
    }

    private boolean isThere(Instance instance) {
        return instances.list().stream().anyMatch(other -> other.id() == instance.id());
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals(Names.NAME) ? Names.beginning(instances, prefix) : List.of();
    }
}
