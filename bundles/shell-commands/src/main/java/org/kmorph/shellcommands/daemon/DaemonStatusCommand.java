// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.kmorph.api.daemon.Directories;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

/** {@code daemon status}. */
@Component
public final class DaemonStatusCommand implements Command {
    private static final List<Column> COLUMNS = List.of(
            Column.text("state", "STATE"),
            Column.text("version", "VERSION"),
            Column.of("pid", "PID", Kind.NUMBER),
            Column.of("started", "STARTED", Kind.INSTANT),
            Column.of("uptime_ms", "UPTIME", Kind.MILLIS),
            Column.of("resident_bytes", "RESIDENT", Kind.BYTES),
            Column.of("heap_used_bytes", "HEAP", Kind.BYTES),
            Column.of("bundles", "BUNDLES", Kind.NUMBER),
            Column.text("problems", "PROBLEMS"),
            Column.text("java", "JAVA"),
            Column.text("etc", "CONFIGURATION"),
            Column.text("state_directory", "STATE DIRECTORY"),
            Column.text("log", "LOG"));

    private static final CommandSpec SPEC = CommandSpec.named("daemon", "status")
            .summary("show how the daemon is")
            .description(
                    "\"degraded\" means that a bundle or component of it does not work; problems names each with the reason.")
            .reads(Role.VIEWER)
            .printsData()
            .example("daemon status", "for a person")
            .example("daemon status -o json", "for a program")
            .build();

    private final BundleContext context;
    private final ServiceComponentRuntime components;

    @Activate
    public DaemonStatusCommand(BundleContext context, @Reference ServiceComponentRuntime components) {
        this.context = context;
        this.components = components;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext call) throws IOException {
        List<String> problems = problems();
        Directories directories = Directories.of(context);
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("state", problems.isEmpty() ? "running" : "degraded");
        row.put("version", context.getBundle().getVersion().toString());
        row.put("pid", ProcessHandle.current().pid());
        row.put(
                "started",
                Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime()));
        row.put("uptime_ms", ManagementFactory.getRuntimeMXBean().getUptime());
        residentBytes().ifPresent(bytes -> row.put("resident_bytes", bytes));
        row.put(
                "heap_used_bytes",
                Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
        row.put("bundles", context.getBundles().length);
        row.put("problems", problems);
        row.put("java", Runtime.version().toString());
        row.put("etc", directories.etc());
        row.put("state_directory", directories.state());
        row.put("log", directories.log());
        call.print(Output.one(COLUMNS, row));
        return ExitCode.DONE;
    }

    private List<String> problems() {
        List<String> problems = new ArrayList<>();
        int level = context.getBundle(0).adapt(FrameworkStartLevel.class).getStartLevel();
        for (Bundle bundle : context.getBundles()) {
            if (bundle.getState() != Bundle.ACTIVE && bundle.getState() != Bundle.STARTING && due(bundle, level)) {
                problems.add("bundle " + bundle.getSymbolicName() + " is not active");
            }
        }
        for (ComponentDescriptionDTO description : components.getComponentDescriptionDTOs()) {
            for (ComponentConfigurationDTO configured : components.getComponentConfigurationDTOs(description)) {
                if (configured.state == ComponentConfigurationDTO.FAILED_ACTIVATION) {
                    problems.add("component " + description.name + " failed: " + firstLine(configured.failure));
                }
            }
        }
        return problems;
    }

    /** Whether the bundle is one that ought to be active by now; a replaced one, uninstalled while we look, is not. */
    private static boolean due(Bundle bundle, int level) {
        try {
            return bundle.getHeaders().get(Constants.FRAGMENT_HOST) == null
                    && bundle.adapt(BundleStartLevel.class).getStartLevel() <= level;
        } catch (IllegalArgumentException | IllegalStateException e) {
            return false;
        }
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("no reason was given");
    }

    /** From /proc/self/status, which gives kilobytes (proc_pid_status(5)). */
    private static Optional<Long> residentBytes() throws IOException {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .findFirst()
                    .map(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10);
        }
    }
}
