// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.time.Duration;
import java.util.List;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.InFlight;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.api.time.TimeSource;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal of the daemon, in {@code journal/} of its state directory. A journal that is damaged or too new is not offered:
 * what needs one then does not start, and the log says why.
 */
@Component(configurationPid = "org.kmorph.journal", immediate = true)
@Designate(ocd = JournalConfig.class)
public final class JournalComponent implements Journal {
    private static final Logger LOG = LoggerFactory.getLogger(JournalComponent.class);
    /** The daemon is to be ready in a second: a large journal is checked to its end in the background. */
    private static final Duration CHECK_AT_START = Duration.ofMillis(50);

    private static final Duration DRAIN = Duration.ofSeconds(5);

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile TimeSource time;

    private final InFlight inFlight = new InFlight();
    private final SqliteJournal journal;
    private final Maintenance maintenance;

    @Activate
    public JournalComponent(BundleContext context, JournalConfig config) throws JournalException {
        try {
            journal = new SqliteJournal(
                    Directories.of(context).state().resolve("journal"),
                    Retention.of(config),
                    () -> time.now(),
                    CHECK_AT_START);
        } catch (JournalException e) {
            LOG.error("{}", e.getMessage());
            throw e;
        }
        maintenance = new Maintenance(journal, !journal.checkedWhole());
    }

    /** References are bound only after the constructor, and the thread reads the clock. */
    @Activate
    void activate() {
        maintenance.start();
    }

    @Modified
    void modified(JournalConfig config) {
        journal.retain(Retention.of(config));
        maintenance.wake();
    }

    @Deactivate
    void deactivate() {
        if (!inFlight.drain(DRAIN)) {
            LOG.warn("calls of the journal still run after {} s; they will fail", DRAIN.toSeconds());
        }
        maintenance.close();
        journal.close();
    }

    @Override
    public long append(List<Entry> entries) throws JournalException {
        InFlight.Call call = inFlight.enter();
        try {
            long sequence = journal.append(entries);
            maintenance.appended();
            return sequence;
        } finally {
            call.close();
        }
    }

    @Override
    public void note(Entry entry) throws JournalException {
        ready(entry).note();
    }

    @Override
    public Noting ready(Entry entry) throws JournalException {
        InFlight.Call call = inFlight.enter();
        try {
            Noting ready = journal.ready(entry);
            return () -> note(ready);
        } finally {
            call.close();
        }
    }

    private void note(Noting ready) throws JournalException {
        InFlight.Call call = inFlight.enter();
        try {
            ready.note();
        } finally {
            call.close();
        }
    }

    @Override
    public List<JournalRecord> read(Query query) throws JournalException {
        InFlight.Call call = inFlight.enter();
        try {
            return journal.read(query);
        } finally {
            call.close();
        }
    }

    @Override
    public List<JournalRecord> latest(String kind) throws JournalException {
        InFlight.Call call = inFlight.enter();
        try {
            return journal.latest(kind);
        } finally {
            call.close();
        }
    }
}
