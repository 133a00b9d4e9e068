// SPDX-License-Identifier: Apache-2.0
/**
 * Commands: how they are declared, who may run them, what they see of their caller. One whole:
 *
 * <pre>{@code
 * @Component
 * public final class CountCommand implements Command {
 *     private static final CommandSpec SPEC = CommandSpec.named("journal", "count")
 *             .summary("count the records of a kind")
 *             .reads(Role.VIEWER)
 *             .parameter("KIND", ValueType.TEXT, "the kind of record")
 *             .printsData()
 *             .example("journal count audit", "how often something was changed")
 *             .build();
 *     private static final List<Column> COLUMNS =
 *             List.of(Column.text("kind", "KIND"), Column.of("count", "COUNT", Column.Kind.NUMBER));
 *
 *     @Reference(policy = DYNAMIC, policyOption = GREEDY)
 *     private volatile Journal journal;
 *
 *     @Override
 *     public CommandSpec spec() {
 *         return SPEC;
 *     }
 *
 *     @Override
 *     public ExitCode run(CommandContext context) throws CommandException {
 *         String kind = context.text("KIND");
 *         context.print(Output.one(COLUMNS, Map.of("kind", kind, "count", count(kind))));
 *         return ExitCode.DONE;
 *     }
 * }
 * }</pre>
 */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.command;

import org.osgi.annotation.versioning.Version;
