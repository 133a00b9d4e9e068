// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What happened, from the log and the backtraces.
 *
 * @param kind of end
 * @param reason the kernel's own words, or empty
 * @param paragraph for people
 * @param signature equal for two memories of one bug: of the kind, the reason without its numbers, and the functions of the
 *     backtrace, not their addresses; empty when nothing is known that could tell
 */
public record Verdict(Kind kind, String reason, String paragraph, String signature) {
    private static final String PANIC = "Kernel panic - not syncing: ";
    private static final Pattern OOPS = Pattern.compile(
            "^(BUG: (kernel NULL pointer dereference|unable to handle).*|Oops: .*|general protection fault.*|kernel BUG at .*"
                    + "|invalid opcode: .*|divide error: .*)");
    private static final Pattern LOCKUP = Pattern.compile(
            ".*(soft lockup|[Hh]ard LOCKUP|hard lockup|rcu: INFO: .*self-detected stall|detected stalls|blocked for more than).*");
    private static final Pattern NUMBERS = Pattern.compile("0x[0-9a-f]+|\\b[0-9a-f]{8,16}\\b|\\b[0-9]+\\b|[0-9.]+s\\b");
    /** How a kernel came to its end. */
    public enum Kind {
        PANIC,
        OOPS,
        HANG,
        LOCKUP,
        OUT_OF_MEMORY,
        /** Its log tells of nothing wrong: still running, stopped from outside, or before it could say anything. */
        SILENT,
        /** Its log cannot be read. */
        UNKNOWN
    }

    public static Verdict of(Analysis analysis) {
        List<String> lines = analysis.log().stream().map(Dmesg.Line::text).toList();
        Optional<String> panic = lines.stream()
                .filter(l -> l.startsWith(PANIC))
                .findFirst()
                .map(l -> l.substring(l.indexOf(PANIC) + PANIC.length()));
        Optional<String> oops =
                lines.stream().filter(l -> OOPS.matcher(l).matches()).findFirst();
        Optional<String> lockup =
                lines.stream().filter(l -> LOCKUP.matcher(l).matches()).findFirst();
        Optional<String> oom = last(lines, "Out of memory");
        Kind kind;
        String reason;
        if (panic.isPresent()
                && (panic.get().contains("out of memory")
                        || panic.get().contains("Out of memory")
                        || panic.get().contains("killable processes"))) {
            kind = Kind.OUT_OF_MEMORY;
            reason = panic.get();
        } else if (lockup.isPresent()
                && (oops.isEmpty() || panic.map(p -> p.contains("lock")).orElse(false))) {
            kind = Kind.LOCKUP;
            reason = lockup.get();
        } else if (oops.isPresent()) {
            kind = Kind.OOPS;
            reason = oops.get();
        } else if (panic.isPresent() && panic.get().startsWith("NMI")) {
            kind = Kind.HANG;
            reason = panic.get();
        } else if (panic.isPresent()) {
            kind = Kind.PANIC;
            reason = panic.get();
        } else if (oom.isPresent()) {
            kind = Kind.OUT_OF_MEMORY;
            reason = oom.get();
        } else {
            kind = lines.isEmpty() ? Kind.UNKNOWN : Kind.SILENT;
            reason = "";
        }
        List<Frame> frames = cause(analysis, kind);
        return new Verdict(kind, reason, paragraph(analysis, kind, reason, frames), signature(kind, reason, frames));
    }

    private static Optional<String> last(List<String> lines, String text) {
        return lines.stream().filter(l -> l.contains(text)).reduce((a, b) -> b);
    }

    /** The frames that led to the end. */
    private static List<Frame> cause(Analysis analysis, Kind kind) {
        if (kind == Kind.SILENT || kind == Kind.UNKNOWN || analysis.panicCpu().isEmpty()) {
            return List.of();
        }
        return analysis.traces().stream()
                .filter(t -> t.cpu() == analysis.panicCpu().get())
                .findFirst()
                .map(t -> Dying.cause(t.frames(), kind == Kind.LOCKUP || kind == Kind.HANG))
                .orElse(List.of());
    }

    /** What the processors were at when nothing tells of an end. */
    private static String processors(Analysis analysis) {
        List<Backtrace> known = analysis.traces().stream()
                .filter(t -> t.cpu() >= 0 && !t.frames().isEmpty())
                .toList();
        List<String> busy = known.stream()
                .filter(t -> !Dying.isIdle(t.frames()))
                .map(t -> "CPU " + t.cpu() + " was in " + t.frames().get(0) + ", in task "
                        + t.task().pid() + " (" + t.task().name() + ")")
                .toList();
        if (!busy.isEmpty()) {
            return " " + String.join("; ", busy) + ".";
        }
        return known.isEmpty() || known.size() < analysis.current().size()
                ? " Where its processors were is not known."
                : " Its processors were idle.";
    }

    private static String paragraph(Analysis analysis, Kind kind, String reason, List<Frame> frames) {
        String when = analysis.uptimeNanos()
                .map(n -> String.format(Locale.ROOT, "%.1f s after its start", n / 1e9))
                .orElse("at a time that is not known");
        String where = frames.isEmpty() ? "" : " in " + frames.get(0);
        String who = analysis.panicCpu()
                .filter(cpu -> cpu < analysis.current().size())
                .map(cpu -> {
                    Task task = analysis.current().get(cpu);
                    return " on CPU " + cpu + ", in task " + task.pid() + " (" + task.name() + ")";
                })
                .orElse("");
        String kernel = "Linux " + analysis.release();
        return switch (kind) {
            case PANIC -> kernel + " panicked" + where + who + ", " + when + ": " + reason + ".";
            case OOPS -> kernel + " had a fault" + where + who + ", " + when + ": " + reason + ".";
            case HANG ->
                kernel + " hung" + where + who + ", and was stopped " + when + " by an interrupt from outside: "
                        + reason + ".";
            case LOCKUP -> kernel + " locked up" + where + who + ", " + when + ": " + reason + ".";
            case OUT_OF_MEMORY -> kernel + " ran out of memory" + who + ", " + when + ": " + reason + ".";
            case SILENT ->
                kernel + " tells of no end; its last words were " + when
                        + ". It was running when its memory was read, or it was stopped from outside, or it hung with interrupts off."
                        + processors(analysis);
            case UNKNOWN -> kernel + ": its log cannot be read, so what happened is not known.";
        };
    }

    private static String signature(Kind kind, String reason, List<Frame> frames) {
        if (reason.isEmpty() && frames.isEmpty()) {
            return "";
        }
        StringBuilder text = new StringBuilder(kind.name());
        text.append('\n').append(NUMBERS.matcher(reason).replaceAll("#"));
        frames.stream().limit(6).forEach(f -> text.append('\n')
                .append(Dying.base(f.function()))
                .append(' ')
                .append(f.module()));
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256").digest(text.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
