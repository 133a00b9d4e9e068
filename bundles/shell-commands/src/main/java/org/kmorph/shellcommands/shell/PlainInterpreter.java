// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import java.util.List;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Session;

/** One command a line, and nothing else. A script ends at its first failure. */
final class PlainInterpreter implements Interpreter {
    private final CommandRunner runner;
    private final Session session;
    private volatile Thread running;

    PlainInterpreter(CommandRunner runner, Session session) {
        this.runner = runner;
        this.session = session;
        this.running = Thread.currentThread();
    }

    @Override
    public ExitCode run(String name, String text) {
        running = Thread.currentThread();
        for (String line : text.lines().toList()) {
            if (line.isBlank() || line.stripLeading().startsWith("#")) {
                continue;
            }
            ExitCode code = line(name, line);
            if (code != ExitCode.DONE) {
                return code;
            }
        }
        return ExitCode.DONE;
    }

    private ExitCode line(String name, String line) {
        List<String> words;
        try {
            words = Words.split(line);
        } catch (IllegalArgumentException e) {
            session.err().println("kmorph: " + name + ": " + e.getMessage());
            return ExitCode.USAGE;
        }
        return runner.run(session, words);
    }

    @Override
    public void interrupt() {
        running.interrupt();
    }

    @Override
    public void close() {
        // nothing is held
    }
}
