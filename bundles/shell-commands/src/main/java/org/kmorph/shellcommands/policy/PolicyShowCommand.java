// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.policy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.Policies.Effective;
import org.kmorph.api.policy.Policies.Source;
import org.kmorph.shellcommands.instances.Names;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code policy show}. */
@Component
public final class PolicyShowCommand implements Command {
    private static final String INSTANCE = "instance";

    private static final List<Column> COLUMNS = List.of(
            Column.text(INSTANCE, "INSTANCE"),
            Column.text("setting", "SETTING"),
            Column.text("value", "VALUE"),
            Column.text("from", "FROM"),
            Column.text("summary", "WHAT IT DECIDES"),
            Column.text("takes", "TAKES").onlyWide());

    private static final CommandSpec SPEC = CommandSpec.named("policy", "show")
            .summary("show which policy values count, and why")
            .description(
                    """
                    Without --instance: the values for all instances, and of those that have values of their own these too. With it: \
                    all values that count for one.

                    FROM says where a value comes from: set for the instance, given when it was spawned, its profile, set for all, or \
                    built in.""")
            .reads(Role.VIEWER)
            .printsData()
            .option(INSTANCE, ValueType.TEXT, "NAME", "of one instance")
            .flag("verbose", "show what each setting takes")
            .example("policy show", "what counts where nothing else is set")
            .example("policy show --instance=web", "what counts for web")
            .build();

    private final Policies policies;
    private final Instances instances;

    @Activate
    public PolicyShowCommand(@Reference Policies policies, @Reference Instances instances) {
        this.policies = policies;
        this.instances = instances;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        Optional<String> name = context.optionalText(INSTANCE);
        List<Map<String, Object>> rows = new ArrayList<>();
        if (name.isPresent()) {
            if (!policies.export().instances().containsKey(name.get())) {
                Names.find(instances, name.get());
            }
            policies.effective(name).forEach(value -> rows.add(row(name, value)));
        } else {
            policies.effective(Optional.empty()).forEach(value -> rows.add(row(name, value)));
            policies.export().instances().keySet().forEach(own -> policies.effective(Optional.of(own)).stream()
                    .filter(value -> value.source() == Source.INSTANCE)
                    .forEach(value -> rows.add(row(Optional.of(own), value))));
        }
        context.print(Output.rows(COLUMNS, rows).wide(context.flag("verbose")));
        return ExitCode.DONE;
    }

    private static Map<String, Object> row(Optional<String> instance, Effective value) {
        Map<String, Object> row = new LinkedHashMap<>();
        instance.ifPresent(name -> row.put(INSTANCE, name));
        row.put("setting", value.setting().name());
        row.put("value", value.value());
        row.put("from", value.source().name().toLowerCase(Locale.ROOT).replace('_', ' '));
        row.put("summary", value.setting().summary());
        row.put("takes", value.setting().takes());
        return row;
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals(INSTANCE) ? Names.beginning(instances, prefix) : List.of();
    }
}
