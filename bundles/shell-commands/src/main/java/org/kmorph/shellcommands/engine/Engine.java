// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.kmorph.api.command.Argument;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Session;
import org.kmorph.api.daemon.InFlight;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engine as a service. Commands come and go while it works. */
@Component
public final class Engine implements CommandRunner {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    /** How long commands may go on when the bundle is replaced; doors drain their own before. */
    private static final Duration DRAIN = Duration.ofSeconds(5);

    /** How long a changing command waits for a journal that is just being replaced. */
    private static final Duration JOURNAL_PATIENCE = Duration.ofSeconds(2);

    /** How long after its own start the engine takes a command that is not there for one that is still to come. */
    private static final Duration SETTLING = Duration.ofSeconds(1);

    /** Ends the daemon even when its disk is full: a person who cannot stop it would kill it. */
    private static final String ALWAYS_ALLOWED = "daemon stop";

    private final Running running;

    private final CommandTable table = new CommandTable();
    private final InFlight inFlight = new InFlight();
    private final Audit audit = new Audit(this::presentJournal);
    private final Completion completion = new Completion(table);
    private final List<ServiceRegistration<Command>> own = new ArrayList<>();

    private final AtomicReference<Journal> journal = new AtomicReference<>();
    private volatile long settledNanos = System.nanoTime();

    @Activate
    public Engine(@Reference Running running) {
        this.running = running;
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void useJournal(Journal added) {
        journal.set(added);
    }

    void unuseJournal(Journal removed) {
        journal.compareAndSet(removed, null);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addCommand(Command command) {
        table.add(command);
    }

    void removeCommand(Command command) {
        table.remove(command);
    }

    /** The commands about commands; as services they are found by the shell language too. */
    @Activate
    void start(BundleContext context) {
        settledNanos = System.nanoTime() + SETTLING.toNanos();
        for (Command command : List.of(
                new HelpCommand(table),
                new CompleteCommand(completion),
                new CompletionCommand(table),
                new ManCommand(table))) {
            own.add(context.registerService(Command.class, command, FrameworkUtil.asDictionary(Map.of())));
        }
    }

    @Deactivate
    void stop() {
        own.forEach(ServiceRegistration::unregister);
        inFlight.drain(DRAIN);
    }

    @Override
    public SortedMap<String, CommandSpec> commands() {
        return table.specs();
    }

    @Override
    public List<Candidate> complete(Caller caller, List<String> words) {
        return completion.complete(caller, words);
    }

    @Override
    public ExitCode run(Session session, List<String> words) {
        try (InFlight.Call call = inFlight.enter()) {
            ExitCode code = dispatch(session, words);
            session.out().flush();
            session.err().flush();
            return code;
        }
    }

    private ExitCode dispatch(Session session, List<String> words) {
        if (words.isEmpty() || words.equals(List.of("--help"))) {
            session.out().print(Help.overview(table.specs()));
            return ExitCode.DONE;
        }
        Optional<Command> command = awaited(() -> table.longestMatch(words), settledNanos);
        if (command.isEmpty()) {
            return unknown(session, words);
        }
        CommandSpec spec = command.get().spec();
        List<String> rest = words.subList(spec.words().size(), words.size());
        if (rest.contains("--help") && !rest.subList(0, rest.indexOf("--help")).contains("--")) {
            session.out().print(Help.of(spec));
            return ExitCode.DONE;
        }
        if (!session.caller().role().mayActAs(spec.role())) {
            return denied(session, spec, words);
        }
        List<Argument> arguments = Standard.argumentsOf(spec);
        Map<String, List<String>> values;
        try {
            values = ArgumentParser.parse(spec.name(), arguments, rest);
        } catch (UsageException e) {
            return fail(session, ExitCode.USAGE, e.getMessage());
        }
        Call call = new Call(session, arguments, values);
        return spec.changes() ? counted(command.get(), call, words) : execute(command.get(), call);
    }

    private ExitCode unknown(Session session, List<String> words) {
        String typed = String.join(" ", words);
        if (table.isGroup(words)) {
            String prefix = typed + " ";
            session.err().print(Help.overview(table.specs().subMap(prefix, prefix + Character.MAX_VALUE)));
            return ExitCode.USAGE;
        }
        List<String> near = table.suggestions(words);
        return fail(
                session,
                ExitCode.USAGE,
                "unknown command \"" + typed + "\""
                        + (near.isEmpty() ? "; `help` lists all" : "; did you mean " + String.join(", ", near) + "?"));
    }

    private ExitCode denied(Session session, CommandSpec spec, List<String> words) {
        if (spec.changes()) {
            try {
                Caller caller = session.caller();
                audit.end(audit.begin(caller, spec.name(), words), caller, spec.name(), words, ExitCode.DENIED);
            } catch (JournalException e) {
                LOG.error("a refused command could not be audited: {}", e.getMessage());
            }
        }
        return fail(
                session,
                ExitCode.DENIED,
                spec.name() + " needs the role " + lower(spec.role()) + "; "
                        + session.caller().name() + " has the role "
                        + lower(session.caller().role()));
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** What changes something is not cut off by a graceful stop. */
    private ExitCode counted(Command command, Call call, List<String> words) {
        String name = command.spec().name();
        if (name.equals(ALWAYS_ALLOWED)) {
            return audited(command, call, words);
        }
        Optional<Running.Entry> entry = running.enter(name);
        if (entry.isEmpty()) {
            return fail(call, ExitCode.FAILED, name + " was not begun: the daemon stops when what runs has ended");
        }
        try (Running.Entry ran = entry.get()) {
            return audited(command, call, words);
        }
    }

    /** What changes something runs only when it could be recorded that it does. */
    private ExitCode audited(Command command, Call call, List<String> words) {
        String name = command.spec().name();
        String key;
        try {
            key = audit.begin(call.caller(), name, words);
        } catch (JournalException e) {
            if (!name.equals(ALWAYS_ALLOWED)) {
                return fail(
                        call,
                        ExitCode.FAILED,
                        name + " was not done, for it could not be written to the audit log: " + e.getMessage());
            }
            LOG.error("{} by {} could not be audited: {}", name, call.caller(), e.getMessage());
            return execute(command, call);
        }
        ExitCode code = execute(command, call);
        try {
            audit.end(key, call.caller(), name, words, code);
        } catch (JournalException e) {
            LOG.error(
                    "{} by {} ended with {}, which could not be audited: {}",
                    name,
                    call.caller(),
                    code,
                    e.getMessage());
            fail(call, code, "the result of " + name + " could not be written to the audit log: " + e.getMessage());
        }
        return code;
    }

    private ExitCode execute(Command command, Call call) {
        Optional<Duration> timeout = command.spec().slow() ? call.duration(Standard.TIMEOUT) : Optional.empty();
        try (Timeout watch = Timeout.interrupting(Thread.currentThread(), timeout)) {
            return execute(command, call, watch);
        }
    }

    private ExitCode execute(Command command, Call call, Timeout watch) {
        String name = command.spec().name();
        try {
            return command.run(call);
        } catch (CommandException e) {
            return fail(call, e.code(), e.getMessage());
        } catch (InterruptedException e) {
            return watch.expired()
                    ? fail(call, ExitCode.TIMED_OUT, name + " was given up at its --timeout")
                    : fail(call, ExitCode.FAILED, name + " was cancelled");
        } catch (IOException e) {
            return fail(call, ExitCode.FAILED, name + ": " + e.getMessage());
        } catch (RuntimeException e) {
            String reference = UUID.randomUUID().toString().substring(0, 8);
            LOG.error("command {} failed [{}]", name, reference, e);
            return fail(
                    call,
                    ExitCode.FAILED,
                    name + " failed unexpectedly: " + e + " (the log has more under " + reference + ")");
        }
    }

    private static ExitCode fail(Session session, ExitCode code, String message) {
        session.err().println("kmorph: " + message);
        return code;
    }

    /** The journal; while its bundle is replaced there is none for a moment. */
    private Journal presentJournal() {
        return awaited(() -> Optional.ofNullable(journal.get()), System.nanoTime() + JOURNAL_PATIENCE.toNanos())
                .orElseGet(NoJournal::new);
    }

    /** What may come until that time of {@link System#nanoTime}. */
    private static <T> Optional<T> awaited(Supplier<Optional<T>> look, long untilNanos) {
        Optional<T> found = look.get();
        while (found.isEmpty() && System.nanoTime() - untilNanos < 0) {
            try {
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
            found = look.get();
        }
        return found;
    }
}
