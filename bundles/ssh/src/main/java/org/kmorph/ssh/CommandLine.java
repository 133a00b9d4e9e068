// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Splits the line of an exec request into words, with the quoting of the POSIX shell (Shell Command Language, 2.2) and nothing
 * else of it: ssh has joined the words that its caller typed, and quoting is how he keeps them together. What a shell would
 * take as an operator is refused rather than passed on, for its writer meant something by it.
 */
final class CommandLine {
    private static final String OPERATORS = "|&;<>()`$\n\r\0";

    private final String line;
    private final List<String> words = new ArrayList<>();
    private Optional<StringBuilder> word = Optional.empty();
    private int at;

    private CommandLine(String line) {
        this.line = line;
    }

    /** @throws MalformedException when it cannot be split; the message is for its writer */
    static List<String> split(String line) throws MalformedException {
        return new CommandLine(line).split();
    }

    private List<String> split() throws MalformedException {
        while (at < line.length()) {
            char c = line.charAt(at++);
            switch (c) {
                case ' ', '\t' -> endWord();
                case '\'' -> singleQuoted();
                case '"' -> doubleQuoted();
                case '\\' -> append(next("a character after the backslash"));
                default -> {
                    if (OPERATORS.indexOf(c) >= 0) {
                        throw new MalformedException(
                                "the character " + shown(c) + " means something to a shell, which only admins get here;"
                                        + " put it in quotes to pass it on as it is");
                    }
                    append(c);
                }
            }
        }
        endWord();
        return List.copyOf(words);
    }

    private void singleQuoted() throws MalformedException {
        begin();
        for (char c = next("a closing '"); c != '\''; c = next("a closing '")) {
            append(c);
        }
    }

    private void doubleQuoted() throws MalformedException {
        begin();
        for (char c = next("a closing \""); c != '"'; c = next("a closing \"")) {
            if (c == '\\') {
                char escaped = next("a closing \"");
                // within double quotes a backslash escapes only these
                if ("$`\"\\".indexOf(escaped) < 0) {
                    append('\\');
                }
                append(escaped);
            } else {
                append(c);
            }
        }
    }

    private char next(String expected) throws MalformedException {
        if (at == line.length()) {
            throw new MalformedException("the line ends where " + expected + " was expected");
        }
        return line.charAt(at++);
    }

    private void begin() {
        if (word.isEmpty()) {
            word = Optional.of(new StringBuilder());
        }
    }

    private void append(char c) {
        begin();
        word.orElseThrow().append(c);
    }

    private void endWord() {
        word.map(StringBuilder::toString).ifPresent(words::add);
        word = Optional.empty();
    }

    private static String shown(char c) {
        return Character.isISOControl(c) ? String.format("\\u%04x", (int) c) : String.valueOf(c);
    }

    /** A line that cannot be split. */
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(String message) {
            super(message);
        }
    }
}
