// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import org.kmorph.api.command.Argument;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.Example;
import org.kmorph.api.command.ExitCode;

/** Manual pages in the man(7) macros of roff. */
final class ManPages {
    private ManPages() {}

    /** {@code kmorphctl-bundle-update}. */
    static String name(CommandSpec spec) {
        return "kmorphctl-" + String.join("-", spec.words());
    }

    static String overview(Collection<CommandSpec> commands) {
        StringBuilder page = head("kmorphctl", "run commands of the kmorph daemon");
        page.append(".SH SYNOPSIS\n.B kmorphctl\n[\\-\\-socket=PATH] COMMAND [WORD]...\n");
        page.append(
                        ".SH DESCRIPTION\nSends a command to the daemon and shows what it prints. The daemon is found at the path of\n")
                .append("\\-\\-socket, of KMORPH_SOCKET, or beside this program.\n.SH COMMANDS\n");
        for (CommandSpec spec : commands) {
            page.append(".TP\n.BR ")
                    .append(text(name(spec)))
                    .append(" (1)\n")
                    .append(text(spec.summary()))
                    .append('\n');
        }
        return page.append(exitStatus()).toString();
    }

    static String of(CommandSpec spec) {
        StringBuilder page = head(name(spec), spec.summary());
        page.append(".SH SYNOPSIS\n.B kmorphctl\n")
                .append(text(Help.usage(spec)))
                .append('\n');
        if (!spec.description().isBlank()) {
            page.append(".SH DESCRIPTION\n");
            for (String paragraph : Help.paragraphs(spec)) {
                page.append(".PP\n").append(text(paragraph)).append('\n');
            }
        }
        page.append(".SH ARGUMENTS\n");
        for (Argument argument : Standard.argumentsOf(spec)) {
            page.append(".TP\n.B ").append(text(Help.written(argument))).append('\n');
            page.append(text(Help.explained(argument))).append('\n');
        }
        page.append(".TP\n.B \\-\\-help\nshow this\n.SH EXAMPLES\n");
        for (Example example : spec.examples()) {
            page.append(".TP\n.B kmorphctl ").append(text(example.line())).append('\n');
            page.append(text(example.effect())).append('\n');
        }
        page.append(".SH RIGHTS\nNeeds the role ")
                .append(spec.role().name().toLowerCase(Locale.ROOT))
                .append(".\n");
        return page.append(exitStatus())
                .append(".SH SEE ALSO\n.BR kmorphctl (1)\n")
                .toString();
    }

    private static StringBuilder head(String name, String summary) {
        return new StringBuilder(".TH " + text(name).toUpperCase(Locale.ROOT)
                + " 1 \"\" \"kmorph\" \"kmorph\"\n.SH NAME\n" + text(name) + " \\- " + text(summary) + "\n");
    }

    private static String exitStatus() {
        StringBuilder text = new StringBuilder(".SH EXIT STATUS\n");
        Arrays.stream(ExitCode.values()).forEach(code -> text.append(".TP\n.B ")
                .append(code.status())
                .append('\n')
                .append(code.name().toLowerCase(Locale.ROOT).replace('_', ' '))
                .append('\n'));
        return text.toString();
    }

    /** A line must not begin with a control character of roff, and a minus is not a hyphen. */
    private static String text(String plain) {
        String escaped = plain.replace("\\", "\\e").replace("-", "\\-").replace("…", "...");
        return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
    }
}
