// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A recovery that is cut at every boundary of the journal, one after the other: strace holds each sync for a moment after it was done, so
 * that a record is on disk of which nobody has heard yet. There the daemon is killed with kill -9, or the recovery bundle is updated. An
 * update is a command, whose own record comes after that one: the old bundle is stopped while the sync of that, or of the record that
 * comes next, is held. Where the new one went on from, its log says; PREPARING_RECOVERY is over too soon for that where nobody is to be told
 * (RecoveryTest has one that somebody is silent in).
 */
class RecoveryBoundariesTest {
    /** More there never are. */
    private static final int MOST = 60;

    private static final Duration HELD = Duration.ofMillis(150);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** On a machine that does much else, too: what a recovery waits for where something is in its way takes longer. */
    private static final Duration NOTHING_WAITED_FOR = Duration.ofSeconds(5);

    private static final Pattern WENT_ON = Pattern.compile("the recovery of instance \"web\" goes on from (\\w+)");

    private Kmorph kmorph;
    private LocalInstances instances;

    /** What is done where a sync is held. */
    private interface Cut {
        void make(int boundary) throws IOException;
    }

    @BeforeEach
    void start() {
        kmorph = Kmorph.unpack();
        kmorph.start();
        kmorph.ctl("policy", "default", "heal-max-crashes", "1000").ok();
        kmorph.ctl("policy", "default", "heal-backoff", "0s").ok();
        instances = new LocalInstances(kmorph);
        instances.spawn("web", "--workload=/bin/sleep", "--workload=1000").ok();
        instances.awaitHealth("web", "HEALTHY");
    }

    @AfterEach
    void stop() {
        kmorph.ctl("terminate", "web", "--force");
        kmorph.remove();
    }

    @Test
    void aDaemonThatIsKilledAtAnyBoundaryIsFollowedByOneThatEndsTheRecovery() throws Exception {
        long wholeMillis = wholeRecoveryMillis();
        long[] mostMillis = new long[1];
        int boundaries = atEachBoundary(2, boundary -> {
            int failed = id(boundary);
            kmorph.kill();
            kmorph.start();
            mostMillis[0] = Math.max(mostMillis[0], awaitHealed(failed, System.nanoTime()));
        });
        instances.awaitHealth("web", "HEALTHY");
        // the machine may have more to do at one end of this than at the other
        long slowestMillis = Math.max(wholeMillis, wholeRecoveryMillis());
        System.out.printf(
                "%d boundaries; the longest recovery was over %d ms after its second daemon was ready; a whole one takes %d ms%n",
                boundaries, mostMillis[0], slowestMillis);
        assertThat(mostMillis[0]).isLessThan(NOTHING_WAITED_FOR.toMillis() + 3 * slowestMillis);
    }

    /** One that nobody cuts. */
    private long wholeRecoveryMillis() {
        int failed = id();
        LocalInstances.signal("KILL", instances.agent(failed));
        return awaitHealed(failed, System.nanoTime());
    }

    @Test
    void aRecoveryBundleThatIsUpdatedAtAnyBoundaryIsFollowedByOneThatEndsTheRecovery() throws Exception {
        int boundaries = atEachBoundary(1, this::update);
        List<String> from = wentOnFrom();
        System.out.printf("%d boundaries; the next version of the bundle went on from %s%n", boundaries, from);
        assertThat(from).contains("FENCING", "RECLAIMING_RESOURCES", "RESTORING_WORK");
    }

    private void update(int boundary) {
        Path jar = kmorph.home().resolve("recovery-next.jar");
        Jars.withVersion(Jars.ours(kmorph, "recovery"), "0.1.0.u" + boundary, jar);
        kmorph.ctl("bundle", "update", jar.toString()).ok();
    }

    /** The states of recoveries that a version of the bundle found in the journal, one for each. */
    private List<String> wentOnFrom() {
        return WENT_ON.matcher(kmorph.log())
                .results()
                .map(found -> found.group(1))
                .toList();
    }

    /** The instance that the cut's recovery is of; not all of a registry that is held answers at that moment. */
    private int victim;

    private int id(int boundary) {
        assertThat(victim).as("what fails before boundary %d", boundary).isPositive();
        return victim;
    }

    private int id() {
        return (int) instances.status("web").get("id");
    }

    /**
     * @param mostSpawns that a recovery has made when it is over: one that a killed daemon had under way is undone, and made once more
     * @return how many there are
     */
    private int atEachBoundary(int mostSpawns, Cut cut) throws Exception {
        int boundary = 1;
        while (boundary <= MOST && cutAt(boundary, mostSpawns, cut)) {
            boundary++;
        }
        assertThat(boundary - 1).as("boundaries").isBetween(10, MOST - 1);
        return boundary - 1;
    }

    /** Has the instance fail, and cuts its recovery. @return whether it had that many boundaries */
    private boolean cutAt(int boundary, int mostSpawns, Cut cut) throws Exception {
        instances.awaitHealth("web", "HEALTHY");
        victim = id();
        long agent = instances.agent(victim);
        Path syncs = kmorph.home().resolve("syncs");
        Files.deleteIfExists(syncs);
        Process strace = new ProcessBuilder(
                        "strace",
                        "-f",
                        "-p",
                        Long.toString(kmorph.pid()),
                        "-P",
                        kmorph.home().resolve("state/journal/journal.db-wal").toString(),
                        "-e",
                        "trace=fsync,fdatasync",
                        "-e",
                        "inject=fsync,fdatasync:delay_exit=" + TimeUnit.NANOSECONDS.toMicros(HELD.toNanos()),
                        "-o",
                        syncs.toString())
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(strace.inputReader().readLine()).contains("attached");
            LocalInstances.signal("KILL", agent);
            if (!awaitSync(syncs, boundary)) {
                return false;
            }
            cut.make(boundary);
        } finally {
            strace.destroy();
            strace.waitFor();
        }
        awaitHealed(victim, System.nanoTime());
        judge(boundary, mostSpawns);
        return true;
    }

    /** @return false when the recovery is over, and was so for a while, without it */
    private boolean awaitSync(Path syncs, int number) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        long quietSince = System.nanoTime();
        long seen = 0;
        while (System.nanoTime() < deadline) {
            long now = Files.exists(syncs)
                    ? Files.readAllLines(syncs).stream()
                            .filter(line -> line.contains("sync(") && line.contains("= 0"))
                            .count()
                    : 0;
            if (now >= number) {
                return true;
            }
            if (now > seen) {
                seen = now;
                quietSince = System.nanoTime();
            }
            if (seen > 0 && System.nanoTime() - quietSince > 10 * HELD.toNanos() && isHealed(victim)) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(5);
        }
        throw new AssertionError("the recovery has not come to an end, " + seen + " syncs were seen");
    }

    private List<Map<String, Object>> recoveries(int of) {
        return kmorph.ctl("recovery-log", "--instance=web", "-o", "json").ok().jsonRows().stream()
                .filter(row -> row.get("id").equals(of))
                .toList();
    }

    private boolean isHealed(int failed) {
        List<Map<String, Object>> all = recoveries(failed);
        return !all.isEmpty() && all.get(all.size() - 1).get("state").equals("RECOVERY_COMPLETE");
    }

    /** @return how long it took since then, in milliseconds */
    private long awaitHealed(int failed, long sinceNanos) {
        Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .ignoreExceptions()
                .until(() -> isHealed(failed));
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sinceNanos);
    }

    /** It ended as it would have, and nothing that must not was done twice. */
    @SuppressWarnings("unchecked")
    private void judge(int boundary, int mostSpawns) {
        List<Map<String, Object>> all = recoveries(victim);
        assertThat(all).as("recoveries cut at boundary %d", boundary).hasSize(1);
        assertThat(((List<Map<String, Object>>) all.get(0).get("steps"))
                        .stream().map(step -> step.get("state")))
                .as(
                        "steps cut at boundary %d, which are %s",
                        boundary, all.get(0).get("steps"))
                .containsExactly(
                        "PREPARING_RECOVERY", "FENCING", "RECLAIMING_RESOURCES", "RESTORING_WORK", "RECOVERY_COMPLETE");
        int successor = id();
        assertThat(all.get(0).get("outcome")).isEqualTo("instance " + successor + " does its work now");
        assertThat(successor - victim).as("spawns cut at boundary %d", boundary).isBetween(1, mostSpawns);
        for (int gone = victim; gone < successor; gone++) {
            assertThat(instances.processes(gone)).as("of instance %d", gone).isEmpty();
            assertThat(instances.controlGroups(gone)).as("of instance %d", gone).isEmpty();
        }
        assertThat(instances.directories()).containsExactly(Integer.toString(successor));
        assertThat(instances.allProcesses())
                .filteredOn(line -> line.contains("kmorph-agent"))
                .hasSize(1);
    }
}
