// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.Session;
import org.kmorph.api.command.Shell;

/** Runs what the channels ask for, with the commands and the shell that there are at that moment. */
final class Engine {
    /** A replaced bundle is back in far less; a caller waits rather than fails. */
    private static final Duration FOR_SERVICE = Duration.ofSeconds(5);

    private static final int LONGEST_SCRIPT = 1 << 20;

    private final ServiceSlot<CommandRunner> runner;
    private final ServiceSlot<Shell> shell;

    Engine(ServiceSlot<CommandRunner> runner, ServiceSlot<Shell> shell) {
        this.runner = runner;
        this.shell = shell;
    }

    /** {@code ssh host LINE}: for admins a line of the shell's language, for others the words of one command. */
    ExitCode line(Session session, String line) throws InterruptedException {
        if (session.caller().role().mayActAs(Role.ADMIN)) {
            return script(session, "ssh", line);
        }
        List<String> words;
        try {
            words = CommandLine.split(line);
        } catch (CommandLine.MalformedException e) {
            session.err().println(e.getMessage());
            return ExitCode.USAGE;
        }
        Optional<CommandRunner> now = runner.await(FOR_SERVICE);
        return now.isPresent() ? now.get().run(session, words) : absent(session, "commands");
    }

    /** {@code ssh host}: a conversation on a terminal, else what standard input has, as a script. */
    ExitCode shell(Session session) throws InterruptedException {
        if (session.terminal().isEmpty()) {
            return standardInput(session);
        }
        Optional<Shell> now = shell.await(FOR_SERVICE);
        return now.isPresent() ? now.get().interactive(session) : absent(session, "shell");
    }

    private ExitCode standardInput(Session session) throws InterruptedException {
        byte[] text;
        try {
            text = session.in().readNBytes(LONGEST_SCRIPT + 1);
        } catch (IOException e) {
            session.err().println("standard input cannot be read: " + e.getMessage());
            return ExitCode.FAILED;
        }
        if (text.length > LONGEST_SCRIPT) {
            session.err()
                    .println("the script on standard input has more than " + LONGEST_SCRIPT
                            + " bytes; put it into etc/scripts/ on the host and call it by its name");
            return ExitCode.USAGE;
        }
        return script(session, "stdin", new String(text, UTF_8));
    }

    private ExitCode script(Session session, String name, String text) throws InterruptedException {
        Optional<Shell> now = shell.await(FOR_SERVICE);
        return now.isPresent() ? now.get().script(session, name, text) : absent(session, "shell");
    }

    private static ExitCode absent(Session session, String what) {
        session.err()
                .println("the daemon has no " + what + " at this moment; try again in a few seconds, and look into its"
                        + " log when that does not help");
        return ExitCode.NOT_RUNNING;
    }
}
