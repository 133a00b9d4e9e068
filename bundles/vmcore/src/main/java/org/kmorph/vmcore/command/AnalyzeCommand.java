// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.command;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.vmcore.analysis.Analysis;
import org.kmorph.vmcore.analysis.Backtrace;
import org.kmorph.vmcore.analysis.Frame;
import org.kmorph.vmcore.analysis.Task;
import org.kmorph.vmcore.service.Reading;
import org.osgi.service.component.annotations.Component;

/** {@code vmcore analyze FILE}. */
@Component
public final class AnalyzeCommand implements Command {
    private static final List<Column> COLUMNS = List.of(
            Column.text("format", "FORMAT"),
            Column.text("kind", "KIND"),
            Column.text("verdict", "VERDICT"),
            Column.text("signature", "SIGNATURE"),
            Column.text("reason", "REASON"),
            Column.text("release", "RELEASE"),
            Column.text("banner", "BANNER"),
            Column.text("command_line", "COMMAND LINE"),
            Column.of("taint", "TAINT", Column.Kind.NUMBER),
            Column.of("uptime_ms", "UPTIME", Column.Kind.MILLIS),
            Column.of("panic_cpu", "PANIC CPU", Column.Kind.NUMBER),
            Column.text("memory_pages", "MEMORY"),
            Column.text("modules", "MODULES"),
            Column.text("tasks", "TASKS"),
            Column.text("backtraces", "BACKTRACES"),
            Column.text("log", "LOG"),
            Column.text("not_known", "NOT KNOWN"));

    private static final CommandSpec SPEC = CommandSpec.named("vmcore", "analyze")
            .summary("tell what a dead kernel was doing")
            .description(
                    "Reads ELF core files and kdump files of any packing, plain or flattened, with no symbols but those that the"
                            + " kernel carries itself (Linux 6.0 or later, with BTF). What cannot be known is said under \"not known\".")
            .reads(Role.ADMIN)
            .printsData()
            .slow()
            .parameter("FILE", ValueType.PATH, "the memory")
            .choice(
                    "section",
                    "only a part",
                    "all",
                    "all",
                    "verdict",
                    "log",
                    "tasks",
                    "modules",
                    "memory",
                    "backtraces")
            .example("vmcore analyze /var/tmp/web.kdump", "all of it")
            .example("vmcore analyze /var/tmp/web.kdump --section=backtraces", "where its processors were")
            .example("vmcore analyze /var/tmp/web.kdump -o json", "all of it, for programs")
            .build();

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        Path path = context.path("FILE").orElseThrow();
        Reading reading;
        try {
            reading = Reading.of(path);
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, path + " cannot be analysed: " + e.getMessage(), e);
        }
        if (!context.text("output").equals("table")) {
            context.print(Output.one(COLUMNS, record(reading)));
        } else {
            text(context.out(), reading, context.text("section"));
        }
        return ExitCode.DONE;
    }

    private static void text(PrintStream out, Reading reading, String section) {
        Analysis found = reading.analysis();
        boolean all = section.equals("all");
        if (all || section.equals("verdict")) {
            out.println(reading.verdict().paragraph());
            out.println();
            out.println("kind       " + reading.verdict().kind());
            if (!reading.verdict().signature().isEmpty()) {
                out.println("signature  " + reading.verdict().signature());
            }
            out.println("file       " + reading.format());
            out.println("kernel     " + (found.banner().isEmpty() ? found.release() : found.banner()));
            found.commandLine().ifPresent(line -> out.println("booted by  " + line));
            found.taint().ifPresent(taint -> out.println("taint      " + taint));
        }
        if (all || section.equals("backtraces")) {
            found.traces().forEach(trace -> trace(out, trace));
        }
        if (all || section.equals("memory")) {
            out.println();
            found.memoryPages().forEach((name, pages) -> out.printf(Locale.ROOT, "%-20s %10d KiB%n", name, pages * 4));
        }
        if (all || section.equals("modules")) {
            out.println();
            out.println("MODULE                         TEXT AT          BYTES");
            found.modules()
                    .forEach(m -> out.printf(Locale.ROOT, "%-28s %016x %8d%n", m.name(), m.address(), m.bytes()));
        }
        if (all || section.equals("tasks")) {
            out.println();
            out.println("    PID    TGID ST   RSS KiB NAME");
            found.tasks().forEach(task -> task(out, task));
        }
        if (all || section.equals("log")) {
            out.println();
            found.log().forEach(out::println);
        }
        notes(out, reading);
    }

    private static void notes(PrintStream out, Reading reading) {
        List<String> notes = new ArrayList<>(reading.damage());
        notes.addAll(reading.analysis().notes());
        if (!notes.isEmpty()) {
            out.println();
            out.println("Not known, or damaged:");
            notes.forEach(note -> out.println("- " + note));
        }
    }

    private static void task(PrintStream out, Task task) {
        String resident = task.residentPages() < 0 ? "?" : Long.toString(task.residentPages() * 4);
        out.printf(Locale.ROOT, "%7d %7d %-3s %9s %s%n", task.pid(), task.group(), task.state(), resident, task.name());
    }

    private static void trace(PrintStream out, Backtrace trace) {
        out.println();
        out.println((trace.cpu() < 0 ? "" : "CPU " + trace.cpu() + ", ") + "task "
                + trace.task().pid() + " (" + trace.task().name() + "), from " + trace.source() + ":");
        for (Frame frame : trace.frames()) {
            out.println("    " + frame);
        }
        if (!trace.end().equals("user") && !trace.end().equals("end")) {
            out.println("    (" + trace.end() + ")");
        }
    }

    private static Map<String, Object> record(Reading reading) {
        Analysis found = reading.analysis();
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("format", reading.format());
        record.put("kind", reading.verdict().kind());
        record.put("verdict", reading.verdict().paragraph());
        record.put("signature", reading.verdict().signature());
        record.put("reason", reading.verdict().reason());
        record.put("release", found.release());
        record.put("banner", found.banner());
        found.commandLine().ifPresent(line -> record.put("command_line", line));
        found.taint().ifPresent(taint -> record.put("taint", taint));
        found.uptimeNanos().ifPresent(nanos -> record.put("uptime_ms", nanos / 1_000_000));
        found.panicCpu().ifPresent(cpu -> record.put("panic_cpu", cpu));
        record.put("memory_pages", new LinkedHashMap<>(found.memoryPages()));
        record.put(
                "modules",
                found.modules().stream()
                        .map(m -> Map.of("name", m.name(), "bytes", m.bytes()))
                        .toList());
        record.put("tasks", found.tasks().stream().map(AnalyzeCommand::fields).toList());
        record.put(
                "backtraces",
                found.traces().stream().map(AnalyzeCommand::fields).toList());
        record.put("log", found.log().stream().map(Object::toString).toList());
        List<String> notes = new ArrayList<>(reading.damage());
        notes.addAll(found.notes());
        record.put("not_known", notes);
        return record;
    }

    private static Map<String, Object> fields(Task task) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("pid", task.pid());
        fields.put("tgid", task.group());
        fields.put("name", task.name());
        fields.put("state", task.state());
        if (task.residentPages() >= 0) {
            fields.put("resident_bytes", task.residentPages() * 4096);
        }
        return fields;
    }

    private static Map<String, Object> fields(Backtrace trace) {
        Map<String, Object> fields = new LinkedHashMap<>();
        if (trace.cpu() >= 0) {
            fields.put("cpu", trace.cpu());
        }
        fields.put("pid", trace.task().pid());
        fields.put("name", trace.task().name());
        fields.put("from", trace.source());
        fields.put("frames", trace.frames().stream().map(Object::toString).toList());
        fields.put("end", trace.end());
        return fields;
    }
}
