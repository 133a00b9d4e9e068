// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.daemon.BundleManager.BundleInfo;
import org.kmorph.api.daemon.BundleManager.DeploymentException;
import org.kmorph.api.daemon.BundleManager.Plan;

/** A bundle as the bundle commands print it. */
final class BundleView {
    static final List<Column> COLUMNS = List.of(
            Column.of("id", "ID", Kind.NUMBER),
            Column.text("symbolic_name", "BUNDLE"),
            Column.text("version", "VERSION"),
            Column.text("state", "STATE"),
            Column.text("origin", "ORIGIN"),
            Column.of("start_level", "LEVEL", Kind.NUMBER),
            Column.text("problem", "PROBLEM"));

    private BundleView() {}

    static Map<String, Object> row(BundleInfo bundle) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("id", bundle.id());
        row.put("symbolic_name", bundle.symbolicName());
        row.put("version", bundle.version());
        row.put("state", bundle.state());
        row.put("origin", bundle.origin().name().toLowerCase(Locale.ROOT));
        row.put("start_level", bundle.startLevel());
        bundle.problem().ifPresent(problem -> row.put("problem", problem));
        return row;
    }

    /** What a change would do, in one line. */
    static String text(Plan plan) {
        return plan.symbolicName() + " " + plan.version()
                + plan.replaces().map(old -> " replaces " + old).orElse(" is new")
                + (plan.restarts().isEmpty()
                        ? "; no other bundle is restarted"
                        : "; restarts " + String.join(", ", plan.restarts()));
    }

    static CommandException failure(DeploymentException e) {
        return new CommandException(ExitCode.FAILED, e.getMessage(), e);
    }
}
