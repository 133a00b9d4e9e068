// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.expression;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is asked of a dead kernel, in a small part of C: {@code init_task.comm}, {@code runqueues[0].nr_running},
 * {@code (struct task_struct) 0xffff888004a80000.comm}, {@code *init_task.mm}.
 *
 * @param type the type that is said to be at the root, if one is said
 * @param root a symbol, or an address
 * @param steps from there
 * @param pointed whether what is pointed to is wanted, not the pointer
 */
public record Expression(Optional<String> type, String root, List<Step> steps, boolean pointed) {
    private static final int LONGEST = 1024;
    private static final Pattern START = Pattern.compile(
            "\\s*(\\*?)\\s*(?:\\(\\s*(?:(?:struct|union|enum)\\s+)?(\\w+)\\s*\\*?\\s*\\)\\s*)?([A-Za-z_][\\w.]*?|0x[0-9a-fA-F]{1,16}|[0-9]{1,20})"
                    + "(?=\\s*(?:->|[.\\[]|$))");
    private static final Pattern STEP =
            Pattern.compile("\\s*(?:(?:\\.|->)\\s*([A-Za-z_]\\w*)|\\[\\s*(0x[0-9a-fA-F]{1,8}|[0-9]{1,9})\\s*\\])\\s*");

    /** From a value to a part of it. A pointer is followed where a member or an element of what it points to is meant. */
    public sealed interface Step {
        /** A member of a structure. */
        record Member(String name) implements Step {}

        /** An element of an array; of a variable that each processor has, the processor's. */
        record Element(long index) implements Step {}
    }

    public Expression {
        steps = List.copyOf(steps);
    }

    /** @throws BadExpressionException when it is none */
    public static Expression parse(String text) throws BadExpressionException {
        Matcher start = START.matcher(text);
        if (text.length() > LONGEST || !start.lookingAt()) {
            throw new BadExpressionException("\"" + shortened(text)
                    + "\" is no expression; one is SYMBOL or (struct TYPE) ADDRESS, then .MEMBER, ->MEMBER or [INDEX]");
        }
        List<Step> steps = new ArrayList<>();
        Matcher step = STEP.matcher(text);
        int at = start.end();
        while (at < text.length() && !text.substring(at).isBlank()) {
            if (!step.region(at, text.length()).lookingAt()) {
                throw new BadExpressionException("\"" + shortened(text.substring(at))
                        + "\" cannot follow in an expression; .MEMBER, ->MEMBER and [INDEX] can");
            }
            steps.add(
                    step.group(1) != null
                            ? new Step.Member(step.group(1))
                            : new Step.Element(Long.decode(decimal(step.group(2)))));
            at = step.end();
        }
        String root = start.group(3);
        Optional<String> type = Optional.ofNullable(start.group(2));
        if (type.isEmpty() && Character.isDigit(root.charAt(0))) {
            throw new BadExpressionException("what is at " + root + "? Say it: (struct TYPE) " + root);
        }
        return new Expression(type, root, steps, !start.group(1).isEmpty());
    }

    /** Without leading zeros, which would make it octal. */
    private static String decimal(String number) {
        return number.startsWith("0x") ? number : number.replaceFirst("^0+(?=.)", "");
    }

    private static String shortened(String text) {
        return text.length() > 80 ? text.substring(0, 80) + "…" : text;
    }
}
