// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.kmorph.api.command.Argument;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.shellcommands.daemon.AuditCommand;
import org.kmorph.shellcommands.daemon.BundleInstallCommand;
import org.kmorph.shellcommands.daemon.BundleListCommand;
import org.kmorph.shellcommands.daemon.BundleRefreshCommand;
import org.kmorph.shellcommands.daemon.BundleUninstallCommand;
import org.kmorph.shellcommands.daemon.BundleUpdateCommand;
import org.kmorph.shellcommands.daemon.DaemonReloadCommand;
import org.kmorph.shellcommands.daemon.DaemonStartCommand;
import org.kmorph.shellcommands.daemon.DaemonStatusCommand;
import org.kmorph.shellcommands.daemon.DaemonStopCommand;
import org.kmorph.shellcommands.daemon.ShellCommand;
import org.kmorph.shellcommands.instances.ConsoleCommand;
import org.kmorph.shellcommands.instances.HealthCommand;
import org.kmorph.shellcommands.instances.HeartbeatCommand;
import org.kmorph.shellcommands.instances.ListCommand;
import org.kmorph.shellcommands.instances.PingCommand;
import org.kmorph.shellcommands.instances.SpawnCommand;
import org.kmorph.shellcommands.instances.StatusCommand;
import org.kmorph.shellcommands.instances.TerminateCommand;
import org.kmorph.shellcommands.monitor.MonitorCommand;
import org.kmorph.shellcommands.morph.MorphCommand;
import org.kmorph.shellcommands.morph.MorphCommitCommand;
import org.kmorph.shellcommands.morph.MorphPrepareCommand;
import org.kmorph.shellcommands.morph.MorphRollbackCommand;
import org.kmorph.shellcommands.morph.MorphStatusCommand;
import org.kmorph.shellcommands.morph.MorphValidateCommand;
import org.kmorph.shellcommands.policy.PolicyDefaultCommand;
import org.kmorph.shellcommands.policy.PolicyExportCommand;
import org.kmorph.shellcommands.policy.PolicyImportCommand;
import org.kmorph.shellcommands.policy.PolicySetCommand;
import org.kmorph.shellcommands.policy.PolicyShowCommand;
import org.kmorph.shellcommands.policy.PolicyUnsetCommand;
import org.kmorph.shellcommands.recovery.RecoverCommand;
import org.kmorph.shellcommands.recovery.RecoveryLogCommand;

/** Every command of this bundle, for every role: it runs, or it is denied and that is on record. */
class RoleMatrixTest {
    /** Who may run what, written down apart from the declarations, so that a change of one is seen. */
    private static final Map<String, Role> LEAST = new TreeMap<>(Map.ofEntries(
            Map.entry("audit", Role.ADMIN),
            Map.entry("bundle install", Role.ADMIN),
            Map.entry("bundle list", Role.VIEWER),
            Map.entry("bundle refresh", Role.ADMIN),
            Map.entry("bundle uninstall", Role.ADMIN),
            Map.entry("bundle update", Role.ADMIN),
            Map.entry("complete", Role.VIEWER),
            Map.entry("completion", Role.VIEWER),
            Map.entry("daemon reload", Role.ADMIN),
            Map.entry("daemon start", Role.VIEWER),
            Map.entry("daemon status", Role.VIEWER),
            Map.entry("daemon stop", Role.ADMIN),
            Map.entry("health", Role.VIEWER),
            Map.entry("heartbeat", Role.VIEWER),
            Map.entry("help", Role.VIEWER),
            Map.entry("list", Role.VIEWER),
            Map.entry("man", Role.ADMIN),
            Map.entry("monitor", Role.VIEWER),
            Map.entry("morph", Role.OPERATOR),
            Map.entry("morph commit", Role.OPERATOR),
            Map.entry("morph prepare", Role.OPERATOR),
            Map.entry("morph rollback", Role.OPERATOR),
            Map.entry("morph status", Role.VIEWER),
            Map.entry("morph validate", Role.OPERATOR),
            Map.entry("console", Role.VIEWER),
            Map.entry("ping", Role.VIEWER),
            Map.entry("policy default", Role.OPERATOR),
            Map.entry("policy export", Role.ADMIN),
            Map.entry("policy import", Role.ADMIN),
            Map.entry("policy set", Role.OPERATOR),
            Map.entry("policy show", Role.VIEWER),
            Map.entry("policy unset", Role.OPERATOR),
            Map.entry("recover", Role.OPERATOR),
            Map.entry("recovery-log", Role.VIEWER),
            Map.entry("shell", Role.VIEWER),
            Map.entry("spawn", Role.OPERATOR),
            Map.entry("status", Role.VIEWER),
            Map.entry("terminate", Role.OPERATOR)));

    /** A declaration needs nothing of what its command works with. */
    private static final List<Command> COMMANDS = List.of(
            new AuditCommand(),
            new BundleInstallCommand(),
            new BundleListCommand(),
            new BundleRefreshCommand(),
            new BundleUninstallCommand(),
            new BundleUpdateCommand(),
            new CompleteCommand(null),
            new CompletionCommand(null),
            new ConsoleCommand(null, null),
            new DaemonReloadCommand(),
            new DaemonStartCommand(),
            new DaemonStatusCommand(null, null),
            new DaemonStopCommand(null, null),
            new HealthCommand(null, null),
            new HeartbeatCommand(null, null, null),
            new HelpCommand(null),
            new ListCommand(null, null, null),
            new ManCommand(null),
            new MonitorCommand(null, null),
            new MorphCommand(null, null),
            new MorphCommitCommand(null, null),
            new MorphPrepareCommand(null, null),
            new MorphRollbackCommand(null, null),
            new MorphStatusCommand(null, null),
            new MorphValidateCommand(null, null),
            new PingCommand(null, null),
            new PolicyDefaultCommand(null),
            new PolicyExportCommand(null),
            new PolicyImportCommand(null),
            new PolicySetCommand(null, null),
            new PolicyShowCommand(null, null),
            new PolicyUnsetCommand(null),
            new RecoverCommand(null, null),
            new RecoveryLogCommand(null, null),
            new ShellCommand(),
            new SpawnCommand(null, null),
            new StatusCommand(null, null, null),
            new TerminateCommand(null));

    private static List<CommandSpec> declarations() {
        return COMMANDS.stream().map(Command::spec).toList();
    }

    @Test
    void theMatrixKnowsEveryCommand() throws IOException {
        assertThat(declarations()).extracting(CommandSpec::name).containsExactlyInAnyOrderElementsOf(LEAST.keySet());
        try (Stream<Path> classes = Files.walk(Path.of("target/classes"))) {
            assertThat(classes.map(path -> path.getFileName().toString())
                            .filter(name -> name.matches("[A-Za-z]+Command\\.class")))
                    .containsExactlyInAnyOrderElementsOf(COMMANDS.stream()
                            .map(command -> command.getClass().getSimpleName() + ".class")
                            .toList());
        }
    }

    @TestFactory
    List<DynamicTest> everyRoleMayRunWhatIsWrittenAndNothingElse() {
        List<DynamicTest> tests = new ArrayList<>();
        for (CommandSpec spec : declarations()) {
            for (Role role : Role.values()) {
                tests.add(DynamicTest.dynamicTest(spec.name() + " by " + role, () -> check(spec, role)));
            }
        }
        return tests;
    }

    private static void check(CommandSpec spec, Role role) {
        MemoryJournal journal = new MemoryJournal();
        Engine engine = new Engine(new Running());
        engine.useJournal(journal);
        List<String> ran = new ArrayList<>();
        engine.addCommand(new Command() {
            @Override
            public CommandSpec spec() {
                return spec;
            }

            @Override
            public ExitCode run(CommandContext context) {
                ran.add(spec.name());
                return ExitCode.DONE;
            }
        });
        boolean may = role.compareTo(LEAST.get(spec.name())) >= 0;
        ExitCode code = engine.run(new TestSession(role), validWords(spec));
        assertThat(code).isEqualTo(may ? ExitCode.DONE : ExitCode.DENIED);
        assertThat(ran).hasSize(may ? 1 : 0);
        assertThat(journal.results()).isEqualTo(spec.changes() ? List.of("begun", may ? "done" : "denied") : List.of());
    }

    /** Words that the command accepts. */
    private static List<String> validWords(CommandSpec spec) {
        List<String> words = new ArrayList<>(spec.words());
        for (Argument argument : spec.arguments()) {
            if (argument.required()) {
                String value =
                        argument.choices().isEmpty() ? "1" : argument.choices().get(0);
                words.add(argument.position() ? value : "--" + argument.name() + "=" + value);
            }
        }
        return words;
    }
}
