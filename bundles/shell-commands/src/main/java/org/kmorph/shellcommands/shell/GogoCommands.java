// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import java.util.ArrayList;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Function;
import org.apache.felix.service.command.Process;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Session;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** Makes the first word of every command a function of Gogo's scope {@code kmorph}; the words after it are its arguments. */
@Component(service = {})
public final class GogoCommands {
    private final BundleContext context;
    private final Map<String, Word> words = new HashMap<>();

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile CommandRunner runner;

    @Activate
    public GogoCommands(BundleContext context) {
        this.context = context;
    }

    /** How many commands begin with a word, and its function. */
    private static final class Word {
        private final ServiceRegistration<Function> registration;
        private int commands;

        Word(ServiceRegistration<Function> registration) {
            this.registration = registration;
        }
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    synchronized void addCommand(Command command) {
        words.computeIfAbsent(first(command), this::register).commands++;
    }

    synchronized void removeCommand(Command command) {
        words.computeIfPresent(first(command), (first, word) -> {
            if (--word.commands > 0) {
                return word;
            }
            word.registration.unregister();
            return null;
        });
    }

    @Deactivate
    synchronized void stop() {
        words.values().forEach(word -> word.registration.unregister());
        words.clear();
    }

    private static String first(Command command) {
        return command.spec().words().get(0);
    }

    private Word register(String word) {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put(CommandProcessor.COMMAND_SCOPE, "kmorph");
        properties.put(CommandProcessor.COMMAND_FUNCTION, word);
        Function function = (session, arguments) -> call(session, word, arguments);
        return new Word(context.registerService(Function.class, function, properties));
    }

    /** Prints into the pipe that Gogo has laid; what fails is an exception of the script. */
    private Object call(CommandSession gogo, String word, List<Object> arguments) throws CommandFailed {
        List<String> all = new ArrayList<>(List.of(word));
        arguments.forEach(argument -> all.add(String.valueOf(argument)));
        Session session = (Session) gogo.get(GogoInterpreter.SESSION);
        Process process = Process.Utils.current();
        boolean direct = process.isTty(1) || process.out() == session.out();
        Session piped = new ShellSession(
                session, process.in(), process.out(), process.err(), direct ? session.terminal() : Optional.empty());
        ExitCode code = runner.run(piped, all);
        if (code != ExitCode.DONE) {
            throw new CommandFailed(word, code);
        }
        return null;
    }
}
