// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Progress;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.time.TimeSource;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code spawn}. */
@Component
public final class SpawnCommand implements Command {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final CommandSpec SPEC = CommandSpec.named("spawn")
            .summary("make a kernel instance and watch it")
            .description(
                    """
                    Returns when the agent inside the instance listens. When that does not come, or on Ctrl-C, nothing of the \
                    instance is left.

                    Host "local" makes the instance a process of this machine that runs the real agent and workload, with no \
                    kernel of its own: --kernel is then only read for its release, and the instance is marked as local wherever it \
                    is shown.""")
            .changes(Role.OPERATOR)
            .slow()
            .parameter(Names.NAME, ValueType.TEXT, "what to call it: lower-case letters, digits and dashes")
            .requiredOption("kernel", ValueType.PATH, "PATH", "the kernel image: a bzImage or vmlinux file")
            .option(
                    "kernel-cmdline",
                    ValueType.TEXT,
                    "TEXT",
                    "the kernel's command line, instead of the host's default")
            .option("initramfs", ValueType.PATH, "PATH", "what it boots with, besides the agent")
            .option("monitor", ValueType.BOOLEAN, "true|false", "watch it, and heal it when its policy says so", "true")
            .option("heartbeat-timeout", ValueType.DURATION, "SEC", "how long it may be silent, over its policy's")
            .option("host", ValueType.TEXT, "HOST", "what makes it: local, or another host that is installed", "local")
            .option("cpus", ValueType.TEXT, "CPUS", "processors: how many, or a list as 4-7,9")
            .option("memory", ValueType.BYTES, "BYTES", "memory: 512M, 2G")
            .option(
                    "address",
                    ValueType.TEXT,
                    "ADDRESS/BITS",
                    "its workload's IPv4 address in the network of its host: qemu has one, if it is configured")
            .option("label", ValueType.TEXT, "LABEL", "what it shares with others that are morphed together")
            .repeatableOption(
                    "workload", ValueType.TEXT, "WORD", "what the agent runs: once for each word, program first")
            .option(
                    "standby-for",
                    ValueType.TEXT,
                    "NAME",
                    "boot now and hold the workload back until NAME has failed; see the policy heal-standby")
            .example("spawn web --kernel=/boot/vmlinuz", "a local instance that runs the agent alone")
            .example(
                    "spawn web --kernel=/boot/vmlinuz --heartbeat-timeout=300ms --workload=/usr/bin/sleep --workload=1000",
                    "one that runs a program and may be silent for 300 ms")
            .build();

    private final Instances instances;
    private final TimeSource time;

    /** None while the bundle is replaced. */
    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile List<Morphs> morphs = List.of();

    @Activate
    public SpawnCommand(@Reference Instances instances, @Reference TimeSource time) {
        this.instances = instances;
        this.time = time;
    }

    /** The id of the instance that it is a standby for, if it is one. */
    private Optional<Integer> protectedBy(CommandContext context) throws CommandException {
        Optional<String> name = context.optionalText("standby-for");
        if (name.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(Names.find(instances, name.get()).id());
    }

    private static Optional<String> label(CommandContext context) throws CommandException {
        Optional<String> label = context.optionalText("label");
        if (label.isPresent() && !InstanceSpec.isName(label.get())) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "a label is of lower-case letters, digits and dashes, as a name; \"" + label.get() + "\" is not");
        }
        return label;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, InterruptedException {
        String name = context.text(Names.NAME);
        Optional<Duration> heartbeatTimeout = context.duration("heartbeat-timeout");
        InstanceSpec spec = new InstanceSpec(
                name,
                context.text("host"),
                context.path("kernel").orElseThrow(),
                context.optionalText("kernel-cmdline"),
                context.path("initramfs"),
                context.flag("monitor"),
                heartbeatTimeout,
                context.optionalText("cpus"),
                context.bytes("memory"),
                List.copyOf(context.texts("workload")),
                protectedBy(context),
                context.optionalText("address"),
                label(context));
        try (Progress progress = context.progress("starting " + name)) {
            Duration left = Names.awaitFree(() -> morphs, instances, name, time, Names.patience(context, TIMEOUT));
            progress.note("waiting for its agent");
            Instance made = instances.spawn(spec, left);
            context.err().printf("instance \"%s\" is RUNNING (id %d, CID %d)%n", name, made.id(), made.contextId());
            for (String missing : made.notIsolated()) {
                context.err().println("not isolated: " + missing);
            }
            return ExitCode.DONE;
        } catch (InstanceException e) {
            throw Names.failure(e);
        }
    }
}
