// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.morph;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Progress;
import org.kmorph.api.morph.MorphException;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.MorphStep;
import org.kmorph.api.morph.StateTransfer;

/** A morph as commands print it. */
final class MorphView {
    static final String NAME = "NAME";

    static final List<Column> COLUMNS = List.of(
            Column.text("instance", "NAME"),
            Column.text("phase", "PHASE"),
            Column.text("outcome", "OUTCOME"),
            Column.text("prepared", "PREPARED"),
            Column.text("from", "FROM"),
            Column.text("to", "TO"),
            Column.of("rounds", "ROUNDS", Kind.NUMBER),
            Column.of("bytes", "MOVED", Kind.BYTES),
            Column.of("unpacked_bytes", "UNPACKED", Kind.BYTES).onlyWide(),
            Column.of("blackout_ms", "BLACKOUT", Kind.MILLIS),
            Column.of("since", "SINCE", Kind.INSTANT).onlyWide(),
            Column.of("last_round_bytes", "LAST ROUND", Kind.BYTES).onlyWide(),
            Column.of("dirty_bytes_per_second", "WRITTEN PER S", Kind.BYTES).onlyWide(),
            Column.of("transfer_bytes_per_second", "MOVED PER S", Kind.BYTES).onlyWide(),
            Column.text("operation", "OPERATION").onlyWide(),
            Column.text("kernel", "IMAGE").onlyWide(),
            Column.text("steps", "STEPS").onlyWide(),
            Column.text("agreed", "AGREED").onlyWide(),
            Column.text("checks", "CHECKS").onlyWide(),
            Column.text("detail", "DETAIL"));

    private MorphView() {}

    static Map<String, Object> row(MorphStatus status) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("instance", status.instance());
        row.put("phase", status.phase());
        row.put("outcome", status.outcome());
        row.put("prepared", status.prepared());
        row.put("from", status.from());
        row.put("to", status.to());
        row.put("rounds", status.rounds());
        row.put("bytes", status.bytes());
        row.put("unpacked_bytes", status.unpackedBytes());
        status.blackoutNanos().ifPresent(nanos -> row.put("blackout_ms", nanos / 1e6));
        row.put("since", status.since());
        row.put("last_round_bytes", status.lastRoundBytes());
        row.put("dirty_bytes_per_second", status.dirtyBytesPerSecond());
        row.put("transfer_bytes_per_second", status.transferBytesPerSecond());
        row.put("operation", status.operation());
        row.put("kernel", status.kernel());
        row.put("steps", status.steps().stream().map(MorphView::step).toList());
        row.put("agreed", status.agreed());
        row.put("checks", status.checks());
        row.put("detail", status.detail());
        return row;
    }

    private static String step(MorphStep step) {
        return step.by().name().toLowerCase(Locale.ROOT) + ": " + step.name() + " " + step.micros() + " us";
    }

    /** Draws how far it is. */
    static void show(Progress progress, MorphStatus status) {
        progress.note(String.format(
                Locale.ROOT,
                "%s, round %d, last %d KiB, written at %.1f MB/s%s",
                status.inWords(),
                status.rounds(),
                status.lastRoundBytes() >> 10,
                status.dirtyBytesPerSecond() / 1e6,
                compressed(status)));
        progress.update(status.bytes(), status.leftBytes() > 0 ? status.bytes() + status.leftBytes() : -1, "B");
    }

    private static String compressed(MorphStatus status) {
        return status.unpackedBytes() == status.bytes()
                ? ""
                : String.format(
                        Locale.ROOT,
                        ", compressed to %.0f %%",
                        100.0 * status.bytes() / Math.max(1, status.unpackedBytes()));
    }

    /** How state is to move, by the options of a command. */
    static StateTransfer transfer(CommandContext context) throws CommandException {
        if (context.flag("restart") && context.flag("compress")) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "--compress does not go with --restart, which moves no state; leave one of them out");
        }
        return context.flag("restart")
                ? StateTransfer.NONE
                : context.flag("compress") ? StateTransfer.COMPRESSED : StateTransfer.PLAIN;
    }

    static CommandException failure(MorphException e) {
        ExitCode code =
                switch (e.reason()) {
                    case NO_SUCH_INSTANCE -> ExitCode.NO_SUCH_INSTANCE;
                    case ROLLED_BACK -> ExitCode.ROLLED_BACK;
                    case TIMED_OUT -> ExitCode.TIMED_OUT;
                    case REFUSED, FAILED -> ExitCode.FAILED;
                };
        return new CommandException(code, e.getMessage(), e);
    }

    /** What a person wants to know of a morph that has been committed. */
    static String committed(MorphStatus status) {
        return String.format(
                Locale.ROOT,
                "instance \"%s\" morphed from %s to %s%s",
                status.instance(),
                status.from(),
                status.to(),
                status.blackoutNanos()
                        .map(nanos -> String.format(Locale.ROOT, "; its workload stood still for %.3f ms", nanos / 1e6))
                        .orElse(""));
    }

    static String prepared(MorphStatus status) {
        return String.format(
                "a morph of \"%s\" from %s to %s is prepared; `morph commit %s` or `morph rollback %s` comes next",
                status.instance(), status.from(), status.to(), status.instance(), status.instance());
    }
}
