// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.journal.JournalException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread behind the journal: compacts now and then, and whenever enough was appended. */
final class Maintenance implements AutoCloseable {
    /** Each append wakes nobody; every so many do. */
    static final int APPENDS_BETWEEN = 256;

    private static final Logger LOG = LoggerFactory.getLogger(Maintenance.class);
    private static final Duration INTERVAL = Duration.ofSeconds(60);
    private static final Duration STOP_WITHIN = Duration.ofSeconds(5);
    private static final Duration WHOLE_CHECK = Duration.ofMinutes(5);

    private final SqliteJournal journal;
    private final Semaphore work = new Semaphore(0);
    private final Thread thread = new DaemonThreads("kmorph-journal").newThread(this::run);
    private final boolean checkFirst;

    /** @param checkFirst whether the file is still to be checked whole */
    Maintenance(SqliteJournal journal, boolean checkFirst) {
        this.journal = journal;
        this.checkFirst = checkFirst;
    }

    void start() {
        thread.start();
    }

    /** To be called after each append. */
    void appended() {
        if (journal.appends() % APPENDS_BETWEEN == 0) {
            wake();
        }
    }

    void wake() {
        work.release();
    }

    private void run() {
        if (checkFirst) {
            attempt(() -> journal.verify(WHOLE_CHECK));
        }
        while (!Thread.currentThread().isInterrupted()) {
            try {
                if (work.tryAcquire(INTERVAL.toSeconds(), TimeUnit.SECONDS)) {
                    work.drainPermits();
                }
                attempt(journal::compact);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** What fails here failed for no caller: it is said, and tried again the next time. */
    private void attempt(Task task) {
        try {
            task.run();
        } catch (JournalException e) {
            LOG.error("{}", e.getMessage());
        }
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join(STOP_WITHIN.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @FunctionalInterface
    private interface Task {
        void run() throws JournalException;
    }
}
