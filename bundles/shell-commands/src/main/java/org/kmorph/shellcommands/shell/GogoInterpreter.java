// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.felix.gogo.runtime.CommandNotFoundException;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.apache.felix.service.command.Job;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Session;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Gogo language, in a session of the caller's own. Scripts of {@code etc/scripts/} are words of it. */
final class GogoInterpreter implements Interpreter {
    private static final Logger LOG = LoggerFactory.getLogger(GogoInterpreter.class);

    /** Where the commands of a Gogo session find the kmorph session that they run in. */
    static final String SESSION = ".kmorph.session";

    private static final String SCRIPT_ENDING = ".gosh";

    /** Gogo's own words take a session's output for a terminal always: where it is none, their colours are nothing. */
    private static final Map<String, String> COLOURLESS = Map.of(
            "GREP_COLORS", "mt=:ms=:mc=:sl=:cx=:rv=:fn=:ln=:bn=:se=",
            "LS_COLORS", "dr=:ex=:sl=:ot=");

    private final CommandSession gogo;
    private final CommandRunner runner;
    private final Session session;

    /** @param runner says what may have been meant by a word that is unknown */
    GogoInterpreter(CommandProcessor processor, CommandRunner runner, Session session, Path scripts) {
        this.runner = runner;
        this.session = session;
        gogo = processor.createSession(session.in(), session.out(), session.err());
        gogo.put(SESSION, session);
        gogo.put("SCOPE", "kmorph:gogo:*");
        gogo.currentDir(session.workingDirectory());
        if (!session.terminal().map(CallerTerminal::colour).orElse(false)) {
            COLOURLESS.forEach(gogo::put);
        }
        addScripts(scripts);
    }

    private void addScripts(Path directory) {
        try (Stream<Path> found = Files.isDirectory(directory) ? Files.list(directory) : Stream.empty()) {
            List<Path> files = found.filter(file -> file.toString().endsWith(SCRIPT_ENDING))
                    .sorted()
                    .toList();
            for (Path file : files) {
                String name = file.getFileName().toString().replace(SCRIPT_ENDING, "");
                gogo.execute(name + " = {\n" + Files.readString(file) + "\n}");
            }
        } catch (IOException e) {
            session.err().println("kmorph: scripts in " + directory + " cannot be read: " + e.getMessage());
        } catch (Exception e) { // Gogo declares no narrower one
            session.err().println("kmorph: a script in " + directory + " is not valid: " + e.getMessage());
        }
    }

    @Override
    public ExitCode run(String name, String text) throws InterruptedException {
        try {
            Object result = gogo.execute(text);
            if (result != null) {
                session.out().println(gogo.format(result, Converter.INSPECT));
            }
            session.out().flush();
            return ExitCode.DONE;
        } catch (CommandFailed e) {
            return e.code();
        } catch (CommandNotFoundException e) {
            return runner.run(session, List.of(e.getCommand()));
        } catch (InterruptedException e) {
            interrupt();
            throw e;
        } catch (Exception e) { // whatever a word of a script throws; Gogo declares no narrower one
            LOG.debug("{} failed", name, e);
            session.err().println("kmorph: " + name + ": " + (e.getMessage() == null ? e.toString() : e.getMessage()));
            return ExitCode.FAILED;
        }
    }

    @Override
    public void interrupt() {
        Job foreground = gogo.foregroundJob();
        if (foreground != null) {
            foreground.interrupt();
        }
    }

    @Override
    public void close() {
        gogo.close();
    }
}
