// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Local instances that fail, and what the daemon makes of that without being asked. */
class RecoveryTest {
    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    private static final int ROUNDS = 3;

    private static final AtomicInteger COUNT = new AtomicInteger();

    /** One of its own for each test: what was set for it and what happened to it is nobody else's. */
    private final String name = "web" + COUNT.incrementAndGet();

    private final LocalInstances instances = new LocalInstances(KMORPH);

    @AfterEach
    void nothingIsLeft() {
        for (Map<String, Object> row : KMORPH.ctl("list", "-o", "json").ok().jsonRows()) {
            KMORPH.ctl("terminate", String.valueOf(row.get("name")), "--force").ok();
        }
        assertThat(instances.allProcesses()).isEmpty();
        assertThat(instances.directories()).isEmpty();
    }

    private int spawn(String... options) {
        instances.spawn(name, options).ok();
        instances.awaitHealth(name, "HEALTHY");
        return id();
    }

    private int id() {
        return (int) instances.status(name).get("id");
    }

    private void set(String setting, String value) {
        KMORPH.ctl("policy", "set", setting, name, value).ok();
    }

    private void killAgent(int id) {
        LocalInstances.signal("KILL", instances.agent(id));
    }

    private List<Map<String, Object>> log() {
        return KMORPH.ctl("recovery-log", "--instance=" + name, "-o", "json")
                .ok()
                .jsonRows();
    }

    private Map<String, Object> last() {
        List<Map<String, Object>> log = log();
        return log.get(log.size() - 1);
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> steps(Map<String, Object> recovery) {
        return (List<Map<String, Object>>) recovery.get("steps");
    }

    private static List<Object> states(Map<String, Object> recovery) {
        return steps(recovery).stream().map(step -> step.get("state")).toList();
    }

    /** Waits for a successor of the instance. @return its id */
    private int awaitSuccessor(int of) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> isHealthySuccessor(KMORPH.ctl("status", name, "-o", "json"), of));
        return id();
    }

    private static boolean isHealthySuccessor(Result status, int of) {
        return status.status() == 0
                && (int) status.json().get("id") > of
                && "HEALTHY".equals(status.json().get("health"));
    }

    private void awaitState(String state) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> !log().isEmpty() && last().get("state").equals(state));
    }

    @Test
    void aKilledInstanceIsBackWithoutAPersonAndTheLogSaysHow() {
        int first = spawn("--workload=/bin/sleep", "--workload=1000");
        killAgent(first);
        int second = awaitSuccessor(first);
        assertThat(instances.processes(first)).isEmpty();
        assertThat(instances.status(name)).containsEntry("workload", List.of("/bin/sleep", "1000"));
        Map<String, Object> recovery = last();
        assertThat(recovery)
                .containsEntry("cause", "EXIT")
                .containsEntry("state", "RECOVERY_COMPLETE")
                .containsEntry("by", "policy")
                .containsEntry("id", first)
                .containsEntry("outcome", "instance " + second + " does its work now");
        assertThat(String.valueOf(recovery.get("reason"))).contains("killed by signal 9");
        assertThat(String.valueOf(recovery.get("evidence"))).contains("last_heartbeat", "heartbeats");
        assertThat(states(recovery))
                .containsExactly(
                        "PREPARING_RECOVERY", "FENCING", "RECLAIMING_RESOURCES", "RESTORING_WORK", "RECOVERY_COMPLETE");
    }

    /** One whose workload asks libkmorph what becomes of others. @return the file that says what it was told */
    private Path spawnSurvivor(String survivor, String... options) throws IOException {
        Path told = KMORPH.home().resolve(survivor + ".log");
        Files.deleteIfExists(told);
        List<String> words = new ArrayList<>(List.of(
                "--workload=" + KMORPH.home().resolve("libexec/kmorph-kv"),
                "--workload=--listen=127.0.0.1:7000",
                "--workload=--state=1",
                "--workload=--log=" + told));
        words.addAll(List.of(options));
        instances.spawn(survivor, words.toArray(String[]::new)).ok();
        instances.awaitHealth(survivor, "HEALTHY");
        return told;
    }

    private static void awaitTold(Path survivor, String... lines) {
        Awaitility.await().untilAsserted(() -> assertThat(Files.readAllLines(survivor))
                .filteredOn(line -> line.startsWith("instance "))
                .containsExactly(lines));
    }

    @Test
    void theSurvivorsAreToldBeforeAndAfter() throws IOException {
        Path db = spawnSurvivor(name + "-db");
        Path cache = spawnSurvivor(name + "-cache");
        int first = spawn();
        killAgent(first);
        int second = awaitSuccessor(first);
        String[] told = {
            "instance " + first + "  has failed",
            "instance " + first + "  is gone",
            "instance " + first + " is succeeded by " + second + " " + name
        };
        awaitTold(db, told);
        awaitTold(cache, told);
        // from now on they know the others by name
        killAgent(second);
        int third = awaitSuccessor(second);
        awaitTold(
                db,
                told[0],
                told[1],
                told[2],
                "instance " + second + " " + name + " has failed",
                "instance " + second + " " + name + " is gone",
                "instance " + second + " is succeeded by " + third + " " + name);
        // on a machine that does much else one may be late once
        awaitState("RECOVERY_COMPLETE");
        assertThat(log()).anySatisfy(recovery -> assertThat(String.valueOf(recovery.get("steps")))
                .doesNotContain("no answer from"));
    }

    @Test
    void aSurvivorThatIsSilentCostsItsDeadlineAndADaemonThatIsKilledTellsAgain() throws IOException {
        isToldAgainAfter(() -> {
            KMORPH.kill();
            KMORPH.start();
        });
    }

    /** A silent one is waited for a second: on a machine that does much else the update may come too late for that. */
    @Test
    void soDoesABundleThatIsUpdatedMeanwhile() throws IOException {
        String wentOn = "\"" + name + "\" goes on from PREPARING_RECOVERY";
        for (int round = 1; round <= ROUNDS && !KMORPH.log().contains(wentOn); round++) {
            nothingIsLeft();
            Path next = nextVersion("0.1.0.r" + round);
            isToldAgainAfter(() -> update(next));
        }
        assertThat(KMORPH.log()).contains(wentOn);
    }

    private static Path nextVersion(String version) {
        return Jars.withVersion(
                Jars.ours(KMORPH, "recovery"), version, KMORPH.home().resolve("recovery-next.jar"));
    }

    private static void update(Path jar) {
        KMORPH.ctl("bundle", "update", jar.toString()).ok();
    }

    /** @param cut while one of the survivors is still waited for */
    private void isToldAgainAfter(Runnable cut) throws IOException {
        Path db = spawnSurvivor(name + "-db");
        String deaf = name + "-deaf";
        Path late = spawnSurvivor(deaf, "--heartbeat-timeout=60s");
        long deafAgent = instances.agent((int) instances.status(deaf).get("id"));
        int first = spawn("--heartbeat-timeout=300ms");
        LocalInstances.signal("STOP", deafAgent);
        killAgent(first);
        awaitState("PREPARING_RECOVERY");
        cut.run();
        int second = awaitSuccessor(first);
        awaitState("RECOVERY_COMPLETE");
        // who wrote this had waited for an answer, as the second daemon or version did: the first was cut off before
        assertThat(steps(last()))
                .filteredOn(step -> step.get("state").equals("FENCING"))
                .singleElement()
                .satisfies(
                        // on a machine that does much else another may have been late
                        step -> assertThat(String.valueOf(step.get("detail")))
                                .containsPattern("no answer from (\\S+, )*" + deaf));
        String[] told = {
            "instance " + first + "  has failed",
            "instance " + first + "  is gone",
            "instance " + first + " is succeeded by " + second + " " + name
        };
        awaitTold(db, told);
        LocalInstances.signal("CONT", deafAgent);
        awaitTold(late, told);
    }

    @Test
    void aCrashLoopEndsInFailedWithTheEvidence() {
        int id = spawn();
        set("heal-max-crashes", "2");
        set("heal-backoff", "100ms");
        for (int crash = 1; crash <= 2; crash++) {
            killAgent(id);
            id = awaitSuccessor(id);
        }
        killAgent(id);
        awaitState("FAILED");
        assertThat(String.valueOf(last().get("outcome")))
                .contains("it has failed")
                .contains("2 are allowed")
                .contains("nothing is started");
        assertThat(KMORPH.ctl("status", name).status()).isEqualTo(4);
        assertThat(log()).hasSize(3);
    }

    @Test
    void aKernelThatFailsAgainAndAgainIsFollowedByTheOneBefore() {
        Path bad = KernelFile.in(KMORPH.home().getParent(), "6.2.0-bad");
        spawn();
        KMORPH.ctl("terminate", name).ok();
        KMORPH.ctl("spawn", name, "--kernel=" + bad).ok();
        instances.awaitHealth(name, "HEALTHY");
        set("heal-fallback-crashes", "2");
        set("heal-backoff", "100ms");
        List<Object> releases = new ArrayList<>();
        for (int crash = 1; crash <= 3; crash++) {
            int failed = id();
            killAgent(failed);
            awaitSuccessor(failed);
            awaitState("RECOVERY_COMPLETE");
            releases.add(instances.status(name).get("kernel_release"));
        }
        // and there it stays, though that fails as well
        assertThat(releases)
                .containsExactly("6.2.0-bad (local)", KernelFile.RELEASE + " (local)", KernelFile.RELEASE + " (local)");
        assertThat(String.valueOf(log().get(1).get("steps")))
                .contains("it has failed 2 times: back to kernel "
                        + KernelFile.in(KMORPH.home().getParent()));
    }

    @Test
    void whatCannotBeFencedForCertainIsHeldAndNothingOfItIsReused() {
        int id = spawn("--heartbeat-timeout=300ms");
        set("fence-timeout", "1s");
        long shim = instances.processes(id).get(0);
        LocalInstances.signal("STOP", shim);
        killAgent(id);
        awaitState("FAILED");
        assertThat(String.valueOf(last().get("outcome"))).contains("it is not certain that it runs no more");
        assertThat(instances.status(name)).containsEntry("state", "HELD").containsEntry("id", id);
        assertThat(instances.directory(id)).exists();
        LocalInstances.signal("CONT", shim);
        Result healed = KMORPH.ctl("recover", name).ok();
        assertThat(healed.err()).contains("RECOVERY_COMPLETE");
        assertThat(id()).isGreaterThan(id);
    }

    @Test
    void withoutTheWillOfThePolicyNothingIsDoneUntilItChanges() {
        int first = spawn();
        set("auto-heal", "disabled");
        killAgent(first);
        instances.awaitHealth(name, "FAILED");
        assertThat(log()).isEmpty();
        assertThat(id()).isEqualTo(first);
        set("auto-heal", "enabled");
        awaitSuccessor(first);
    }

    @Test
    void aPolicyThatOnlyFencesStartsNothing() {
        int first = spawn();
        set("heal-action", "stop");
        killAgent(first);
        awaitState("RECOVERY_COMPLETE");
        assertThat(String.valueOf(last().get("outcome"))).contains("starts nothing in its place");
        assertThat(KMORPH.ctl("status", name).status()).isEqualTo(4);
    }

    @Test
    void aStandbyTakesOverInOneStepAndWithoutOneTheSameIsStartedAgain() {
        Path started = KMORPH.home().resolve("started");
        String standby = name + "-b";
        int first = spawn("--workload=/bin/sleep", "--workload=1000");
        instances
                .spawn(
                        standby,
                        "--standby-for=" + name,
                        "--workload=/bin/sh",
                        "--workload=-c",
                        "--workload=echo started >>'" + started + "'; exec sleep 1000")
                .ok();
        instances.awaitHealth(standby, "HEALTHY");
        int second = (int) instances.status(standby).get("id");
        assertThat(instances.status(standby)).containsEntry("standby_for_id", first);
        assertThat(started).doesNotExist();
        set("heal-standby", standby);
        killAgent(first);
        awaitState("RECOVERY_COMPLETE");
        assertThat(id()).isEqualTo(second);
        assertThat(KMORPH.ctl("status", standby).status()).isEqualTo(4);
        Awaitility.await().untilAsserted(() -> assertThat(started).hasContent("started"));
        assertThat(last()).containsEntry("outcome", "instance " + second + " does its work now");
        // it is used up
        instances.awaitHealth(name, "HEALTHY");
        killAgent(second);
        awaitSuccessor(second);
        assertThat(String.valueOf(last().get("steps")))
                .contains("\"" + standby + "\" cannot take over: there is no such instance");
    }

    @Test
    void aStandbyThatFailsIsHealedAsAStandbyAlsoWithoutTheOneItStandsFor() {
        String standby = name + "-b";
        spawn("--workload=/bin/sleep", "--workload=1000");
        instances
                .spawn(standby, "--standby-for=" + name, "--workload=/bin/sleep", "--workload=1000")
                .ok();
        KMORPH.ctl("terminate", name, "--force").ok();
        int first = (int) instances.status(standby).get("id");
        instances.awaitHealth(standby, "HEALTHY");
        killAgent(first);
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> isHealthySuccessor(KMORPH.ctl("status", standby, "-o", "json"), first));
        assertThat(KMORPH.ctl("heartbeat", standby, "-o", "json").ok().json()).containsEntry("workload_state", "held");
    }

    @Test
    void recoverTellsItsStepsAndDoesThemByHand() {
        int first = spawn();
        Result plan = KMORPH.ctl("recover", name, "--dry-run").ok();
        assertThat(plan.out().lines().map(line -> line.split(":")[0]))
                .containsExactly("PREPARING_RECOVERY", "FENCING", "RECLAIMING_RESOURCES", "RESTORING_WORK");
        assertThat(id()).isEqualTo(first);
        assertThat(KMORPH.ctl("recover", name).ok().err()).contains("RECOVERY_COMPLETE: instance ");
        assertThat(id()).isGreaterThan(first);
        assertThat(last()).containsEntry("cause", "OPERATOR").containsEntry("by", "root");
        assertThat(KMORPH.ctl("recover", "nobody").status()).isEqualTo(4);
    }

    @Test
    void aDaemonThatIsKilledInTheMiddleIsFollowedByOneThatGoesOn() {
        int first = spawn();
        set("heal-backoff", "5s");
        killAgent(first);
        int second = awaitSuccessor(first);
        killAgent(second);
        awaitState("RESTORING_WORK");
        KMORPH.kill();
        KMORPH.start();
        assertThat(awaitSuccessor(second)).isGreaterThan(second);
        awaitState("RECOVERY_COMPLETE");
        assertThat(KMORPH.ctl("list", "-o", "json").ok().jsonRows()).hasSize(1);
    }

    @Test
    void anUpdateOfTheRecoveryBundleInTheMiddleChangesNothing() {
        int first = spawn();
        set("heal-backoff", "5s");
        Path next = nextVersion("0.1.0.u1");
        killAgent(first);
        int second = awaitSuccessor(first);
        killAgent(second);
        awaitState("RESTORING_WORK");
        update(next);
        assertThat(awaitSuccessor(second)).isGreaterThan(second);
        awaitState("RECOVERY_COMPLETE");
    }
}
