// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** SIGKILL at random moments of appends, of compaction, of opening. */
class KillTest {
    private static final int CUTS = 200;
    private static final long LONGEST_LIFE_NS = 120_000_000;

    @TempDir
    Path directory;

    @TempDir
    Path scratch;

    private ChildJvm jvm;

    @Test
    void killedAtAnyInstantNothingAcknowledgedIsLost() throws Exception {
        jvm = new ChildJvm(scratch);
        Process training = Journals.start(jvm.training(KillVictim.class, directory.toString(), "200"));
        training.getOutputStream().write('\n');
        training.getOutputStream().flush();
        lastOf(new DataInputStream(training.getInputStream()));
        assertThat(training.waitFor()).isZero();
        Random random = new Random(200);
        long newest = check(-1, 200);
        int cutsWithAcknowledgements = 0;
        Process next = victim();
        try {
            for (int cut = 0; cut < CUTS; cut++) {
                Process victim = next;
                // the next one starts up while this one works
                next = victim();
                DataInputStream acknowledgements = new DataInputStream(victim.getInputStream());
                assertThat(acknowledgements.readLong()).isEqualTo(KillVictim.READY);
                victim.getOutputStream().write('\n');
                victim.getOutputStream().flush();
                // the moment is what is random here: nothing is waited for
                LockSupport.parkNanos((long) (random.nextDouble() * LONGEST_LIFE_NS));
                assertThat(victim.isAlive())
                        .as("victim of cut %d still works", cut)
                        .isTrue();
                // not of Process: that closes the pipe, and with it what was acknowledged
                victim.toHandle().destroyForcibly();
                long acknowledged = lastOf(acknowledgements);
                assertThat(victim.waitFor(10, TimeUnit.SECONDS)).isTrue();
                if (acknowledged > 0) {
                    cutsWithAcknowledgements++;
                }
                newest = check(cut, Math.max(newest, acknowledged));
            }
        } finally {
            next.destroyForcibly();
        }
        // or the test would prove nothing
        assertThat(cutsWithAcknowledgements).isGreaterThan(CUTS / 4);
    }

    private Process victim() throws IOException {
        return Journals.start(jvm.command(KillVictim.class, directory.toString(), Integer.toString(Integer.MAX_VALUE)));
    }

    /** The last whole acknowledgement, or 0. */
    private static long lastOf(DataInputStream acknowledgements) throws IOException {
        long last = 0;
        try (acknowledgements) {
            while (true) {
                last = acknowledgements.readLong();
            }
        } catch (EOFException e) {
            return last;
        }
    }

    /** The number of the newest pair, when the journal is whole. */
    private long check(int cut, long acknowledged) throws JournalException {
        try (SqliteJournal journal = Journals.open(directory, KillVictim.LITTLE)) {
            assertThat(journal.verify(Duration.ofMinutes(1)))
                    .as("cut %d: sound", cut)
                    .isTrue();
            long newest = KillVictim.newest(journal);
            // the one in flight may have got to disk before its acknowledgement
            assertThat(newest).as("cut %d: newest", cut).isBetween(acknowledged, acknowledged + 1);
            for (String kind : List.of("a", "b")) {
                List<Long> kept = numbers(journal.read(Query.all().kind(kind)));
                List<Long> tail = kept.subList(Math.max(0, kept.size() - 50), kept.size());
                assertThat(tail).as("cut %d: no gap", cut).containsExactlyElementsOf(range(newest, tail.size()));
                assertThat((long) kept.size()).isGreaterThanOrEqualTo(Math.min(newest, 50));
                assertThat(numbers(journal.latest(kind)))
                        .as("cut %d: state", cut)
                        .containsExactlyElementsOf(range(newest, (int) Math.min(newest, KillVictim.KEYS)));
            }
            return newest;
        }
    }

    private static List<Long> numbers(List<JournalRecord> records) {
        return records.stream()
                .map(r -> Long.parseLong(r.entry().fields().get("n")))
                .toList();
    }

    /** The {@code count} numbers up to and with {@code last}. */
    private static List<Long> range(long last, int count) {
        return LongStream.rangeClosed(last - count + 1, last).boxed().toList();
    }
}
