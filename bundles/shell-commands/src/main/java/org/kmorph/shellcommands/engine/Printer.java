// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Session;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/** Prints data in one format. */
interface Printer {
    void print(Output output);

    static Printer of(String format, Session session) {
        PrintStream out = session.out();
        return switch (format) {
            case "json" -> output -> out.println(json(plain(output)));
            case "yaml" -> output -> out.print(yaml(plain(output)));
            default ->
                new TablePrinter(
                        out, session.terminal().map(CallerTerminal::colour).orElse(false));
        };
    }

    private static Object plain(Output output) {
        List<Object> rows = new ArrayList<>();
        for (Map<String, Object> row : output.rows()) {
            Map<String, Object> plain = new LinkedHashMap<>();
            for (Column column : output.columns()) {
                if (row.containsKey(column.key())) {
                    plain.put(column.key(), Cells.plain(row.get(column.key())));
                }
            }
            rows.add(plain);
        }
        return output.list() ? rows : rows.get(0);
    }

    private static String json(Object value) {
        try {
            return JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asString(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String yaml(Object value) {
        return new Dump(DumpSettings.builder()
                        .setDefaultFlowStyle(FlowStyle.BLOCK)
                        .setExplicitStart(true)
                        .build())
                .dumpToString(value);
    }
}
