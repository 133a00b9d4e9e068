// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
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
import org.kmorph.vmcore.expression.BadExpressionException;
import org.kmorph.vmcore.expression.Evaluator;
import org.kmorph.vmcore.expression.Expression;
import org.kmorph.vmcore.expression.Place;
import org.kmorph.vmcore.expression.Printer;
import org.kmorph.vmcore.file.DumpFile;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.service.Reading;
import org.osgi.service.component.annotations.Component;

/** {@code vmcore print FILE EXPR}. */
@Component
public final class PrintCommand implements Command {
    private static final List<Column> COLUMNS = List.of(
            Column.text("expression", "EXPRESSION"),
            Column.text("type", "TYPE"),
            Column.text("address", "ADDRESS"),
            Column.text("value", "VALUE"));

    private static final CommandSpec SPEC = CommandSpec.named("vmcore", "print")
            .summary("print a value of a dead kernel")
            .description(
                    "EXPR is a symbol of the kernel, or (struct TYPE) and an address or a symbol; then .MEMBER, ->MEMBER or [INDEX], as"
                            + " often as needed. Pointers are followed on the way; a * in front prints what the last one points to. A"
                            + " variable that each processor has takes the processor first: runqueues[0].nr_running.\n\n"
                            + "Types come from the kernel's own BTF. It has those of structures and of variables that each processor"
                            + " has; of others the common ones are known, and the rest is for you to say.")
            .reads(Role.ADMIN)
            .printsData()
            .slow()
            .parameter("FILE", ValueType.PATH, "the memory")
            .parameter("EXPR", ValueType.TEXT, "what to print")
            .example("vmcore print /var/tmp/web.kdump init_task.comm", "a member")
            .example("vmcore print /var/tmp/web.kdump 'runqueues[0].curr->pid'", "through a pointer, of processor 0")
            .example("vmcore print /var/tmp/web.kdump '(struct list_head) modules'", "a type that you know better")
            .build();

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        Path path = context.path("FILE").orElseThrow();
        String text = context.text("EXPR");
        try (DumpFile file = DumpFile.open(path)) {
            Expression expression = Expression.parse(text);
            DeadKernel kernel = DeadKernel.read(file, Reading.info(file));
            Place place = new Evaluator(kernel).find(expression);
            String value = new Printer(kernel).print(place);
            if (context.text("output").equals("table")) {
                context.out().println(value);
            } else {
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("expression", text);
                row.put("type", kernel.types().describe(place.type()));
                row.put("address", "0x" + Long.toHexString(place.address()));
                row.put("value", value);
                context.print(Output.one(COLUMNS, row));
            }
            return ExitCode.DONE;
        } catch (BadExpressionException e) {
            throw new CommandException(ExitCode.USAGE, e.getMessage(), e);
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, text + " of " + path + ": " + e.getMessage(), e);
        }
    }
}
