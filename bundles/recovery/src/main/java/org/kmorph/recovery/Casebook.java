// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.recovery.RecoveryState;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmp.message.Cause;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The recoveries in the journal. Thread-safe. */
final class Casebook {
    private static final Logger LOG = LoggerFactory.getLogger(Casebook.class);

    /** Recoveries that are answered with at most, and records looked at for them: a recovery has under twenty. */
    private static final int MAX_REPORTS = 1_000;

    private static final int MAX_RECORDS = 20 * MAX_REPORTS;

    private final Supplier<Journal> journal;
    private final TimeSource time;

    Casebook(Supplier<Journal> journal, TimeSource time) {
        this.journal = journal;
        this.time = time;
    }

    /** Writes a step down. @return a number that grows with every step */
    long write(Healing healing) throws JournalException {
        return journal.get().append(CaseRecord.entry(healing));
    }

    /**
     * A recovery that a former daemon did not bring to an end.
     *
     * @param since its last step was recorded; by the wall clock, so not to be trusted beyond what is plausible
     */
    record Open(Healing healing, long generation, Duration since) {}

    /** What a former daemon did not bring to an end. One that cannot be read is said, and left. */
    List<Open> open() throws JournalException {
        List<Open> open = new ArrayList<>();
        for (JournalRecord record : journal.get().latest(CaseRecord.KIND)) {
            try {
                open.add(new Open(CaseRecord.healing(record.entry()), record.sequence(), since(record.time())));
            } catch (IllegalArgumentException e) {
                LOG.error(
                        "record {} of a recovery is not readable, and is left: {}", record.sequence(), e.getMessage());
            }
        }
        return open;
    }

    private Duration since(Instant moment) {
        Duration passed = Duration.between(moment, time.now());
        return passed.isNegative() ? Duration.ZERO : passed;
    }

    /** How long ago each recovery began that began within the time before now, by instance, oldest first. */
    List<Map.Entry<String, Duration>> begun(Duration within) throws JournalException {
        Query query = Query.all()
                .kind(CaseRecord.KIND)
                .since(time.now().minus(within))
                .newest(MAX_RECORDS);
        Map<String, JournalRecord> first = new LinkedHashMap<>();
        for (JournalRecord record : journal.get().read(query)) {
            if (RecoveryState.PREPARING_RECOVERY
                    .name()
                    .equals(record.entry().fields().get("state"))) {
                first.putIfAbsent(record.entry().key(), record);
            }
        }
        return first.values().stream()
                .map(record -> Map.entry(record.entry().instance().orElse(""), since(record.time())))
                .toList();
    }

    /** Recoveries, oldest first; only whole ones. */
    List<RecoveryReport> log(Optional<String> instance, Optional<Instant> since) throws JournalException {
        Query all = Query.all().kind(CaseRecord.KIND).newest(MAX_RECORDS);
        Map<String, List<JournalRecord>> byOperation = new LinkedHashMap<>();
        for (JournalRecord record :
                journal.get().read(instance.map(all::instance).orElse(all))) {
            byOperation
                    .computeIfAbsent(record.entry().key(), key -> new ArrayList<>())
                    .add(record);
        }
        List<RecoveryReport> reports = byOperation.values().stream()
                .map(CaseRecord::report)
                .filter(report -> since.map(
                                moment -> !report.ended().orElse(Instant.MAX).isBefore(moment))
                        .orElse(true))
                .toList();
        return reports.subList(Math.max(0, reports.size() - MAX_REPORTS), reports.size());
    }

    /** One recovery. */
    RecoveryReport report(String operation) throws JournalException {
        return CaseRecord.report(journal.get()
                .read(Query.all().kind(CaseRecord.KIND).key(operation).newest(MAX_RECORDS)));
    }

    /**
     * Whether the instance is being morphed, or that cannot be told: who it belongs to is then the morph's to settle, also when a side of
     * it dies.
     */
    boolean isBeingMorphed(String instance) {
        try {
            return journal.get().latest("morph").stream()
                    .anyMatch(record -> record.entry().instance().equals(Optional.of(instance)));
        } catch (JournalException e) {
            LOG.error(
                    "whether a morph of instance \"{}\" is under way cannot be told, so it is not healed: {}",
                    instance,
                    e.getMessage());
            return true;
        }
    }

    /**
     * What is said of a morph that is over and had the instance as its source or its target, for healing to go on with; empty when it was
     * none, or another instance of the name.
     */
    Optional<String> endedMorph(Instance instance) throws JournalException {
        Query newest = Query.all().kind("morph").instance(instance.name()).newest(1);
        return journal.get().read(newest).stream()
                .map(record -> record.entry())
                .filter(entry -> entry.closes())
                .filter(entry -> List.of("source_id", "target_id").stream()
                        .map(side -> entry.fields().get(side))
                        .anyMatch(Integer.toString(instance.id())::equals))
                .map(entry -> entry.fields().getOrDefault("detail", ""))
                .findFirst();
    }

    /** Whether somebody wants all of it gone: nothing is to be started in its place. */
    boolean isBeingTerminated(Instance instance) throws JournalException {
        return journal.get().latest("instance").stream()
                .map(record -> record.entry().fields())
                .anyMatch(fields ->
                        isOf(instance, fields) && Boolean.parseBoolean(fields.getOrDefault("terminating", "")));
    }

    /** Whether the giving back of what it has was ever begun, by whomever: some of it may be another's by now. */
    boolean isGivenBackInPart(Instance instance) throws JournalException {
        boolean begun = false;
        for (JournalRecord record :
                journal.get().read(Query.all().kind("instance").newest(MAX_RECORDS))) {
            Map<String, String> fields = record.entry().fields();
            if (isOf(instance, fields)) {
                String state = fields.getOrDefault("state", "");
                begun = state.equals(InstanceState.RELEASING.name())
                        || begun && !state.equals(InstanceState.STARTING.name());
            }
        }
        return begun;
    }

    private static boolean isOf(Instance instance, Map<String, String> fields) {
        return Integer.toString(instance.id()).equals(fields.get("id"));
    }

    /**
     * How many times the name has failed within the window before now. What a person asked for is no failure, and what was left to a morph
     * is not counted: it never came so far as to be fenced.
     */
    int crashes(String instance, Duration window) throws JournalException {
        Query query = Query.all()
                .kind(CaseRecord.KIND)
                .instance(instance)
                .since(time.now().minus(window))
                .newest(MAX_RECORDS);
        return (int) journal.get().read(query).stream()
                .filter(record ->
                        !Cause.OPERATOR.name().equals(record.entry().fields().get("cause")))
                .filter(record -> RecoveryState.FENCING
                        .name()
                        .equals(record.entry().fields().get("state")))
                .map(record -> record.entry().key())
                .distinct()
                .count();
    }

    /** What the instance of an id has been called, the last first. */
    List<String> names(int id) throws JournalException {
        List<String> names = new ArrayList<>();
        for (JournalRecord record :
                journal.get().read(Query.all().kind("instance").newest(MAX_RECORDS))) {
            if (Integer.toString(id).equals(record.entry().fields().get("id"))) {
                names.remove(record.entry().key());
                names.add(0, record.entry().key());
            }
        }
        return names;
    }

    /**
     * The kernel that the name ran last before it first ran the one that it runs now: not one that it has fallen back from.
     */
    Optional<Path> kernelBefore(Instance instance) throws JournalException {
        String present = instance.spec().kernel().toString();
        Query ofTheName = Query.all().kind("instance").instance(instance.name()).newest(MAX_RECORDS);
        Optional<Path> before = Optional.empty();
        for (JournalRecord record : journal.get().read(ofTheName)) {
            Map<String, String> fields = record.entry().fields();
            if (InstanceState.RUNNING.name().equals(fields.get("state")) && fields.containsKey("kernel")) {
                if (fields.get("kernel").equals(present)) {
                    return before;
                }
                before = Optional.of(Path.of(fields.get("kernel")));
            }
        }
        return before;
    }
}
