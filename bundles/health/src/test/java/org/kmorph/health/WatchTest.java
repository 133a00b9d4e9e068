// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.health.HealthPolicy.Judge;
import org.kmorph.api.health.HealthPolicy.Verdict;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport.Reach;
import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.HeartbeatAnswerFlyweight;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.KernelRelease;
import org.kmorph.kmp.message.AgentState;
import org.kmorph.kmp.message.Condition;
import org.kmorph.kmp.message.HealthStatus;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.Severity;
import org.kmorph.kmp.message.Want;
import org.kmorph.kmp.message.WorkloadState;
import org.kmorph.kmpclient.HeartbeatReceipt;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;

class WatchTest {
    private static final long MS = 1_000_000;
    private static final long TIMEOUT = 300 * MS;

    private final List<String> told = new ArrayList<>();
    private final List<Integer> heartbeats = new ArrayList<>();
    private final List<CompletableFuture<Reach>> probes = new ArrayList<>();
    private final List<String> resets = new ArrayList<>();
    private final Crowd crowd = new Crowd();
    private long now = 1_000 * MS;
    private long lateness;

    private final WatchSurroundings surroundings = new WatchSurroundings(
            new TimeSource() {
                @Override
                public long nanos() {
                    return now;
                }

                @Override
                public Instant now() {
                    return Instant.EPOCH;
                }
            },
            () -> lateness,
            crowd,
            new WatchSurroundings.Sessions() {
                @Override
                public KmpSession open(Instance instance, SessionListener listener) {
                    return new SilentSession();
                }

                @Override
                public CompletableFuture<Reach> probe(Instance instance, Duration deadline) {
                    CompletableFuture<Reach> probe = new CompletableFuture<>();
                    probes.add(probe);
                    return probe;
                }
            },
            new WatchSurroundings.Tell() {
                @Override
                public void changed(Watch watch, Health before, String reason) {
                    told.add(before + " -> " + watch.report().health());
                }

                @Override
                public void troubled(Watch watch, String trouble) {
                    told.add(trouble);
                }

                @Override
                public void rebooted(Watch watch) {
                    told.add("rebooted");
                }
            });

    private static Judgement judgement() {
        return new Judgement("timeout", Optional.empty(), new TimeoutPolicy().judge(TIMEOUT, Map.of()), TIMEOUT, "");
    }

    private Watch watch(String name) {
        InstanceSpec spec = InstanceSpec.watched(name, "local", Path.of("/vmlinuz"), List.of());
        Instance instance = new Instance(
                1,
                spec,
                InstanceState.RUNNING,
                Instant.EPOCH,
                "",
                3,
                "6.1",
                Optional.of(new Endpoint("test", "x")),
                List.of());
        return new Watch(instance, judgement(), surroundings);
    }

    /** Lets time pass, and ticks when the watch wants to be. */
    private void pass(Watch watch, long millis) {
        long until = now + millis * MS;
        long next = watch.tick(now, crowd.distrustsItself());
        while (next <= until) {
            now = Math.max(now, next);
            next = watch.tick(now, crowd.distrustsItself());
        }
        now = until;
    }

    private void answers(Watch watch, long bootId, int trouble) {
        watch.heartbeat(new Answer(now, bootId, trouble));
    }

    @Test
    void heartbeats_go_out_three_to_a_timeout_and_those_without_an_answer_are_counted() {
        Watch watch = watch("web");
        pass(watch, 1);
        answers(watch, 1, 0);
        pass(watch, 250);
        answers(watch, 1, 0);
        pass(watch, 60);
        HealthReport report = watch.report();
        assertThat(report.health()).isEqualTo(Health.HEALTHY);
        assertThat(report.sent()).isEqualTo(4);
        assertThat(report.missed()).isEqualTo(1);
        assertThat(report.windows().get("rtt").last()).isEqualTo(2.0);
        assertThat(report.windows().get("memory").last()).isEqualTo(600.0);
        assertThat(told).containsExactly("UNKNOWN -> HEALTHY", "HEALTHY -> SUSPECT", "SUSPECT -> HEALTHY");
    }

    @Test
    void the_kernel_release_is_asked_for_once_and_again_after_a_reboot() {
        Watch watch = watch("web");
        pass(watch, 1);
        answers(watch, 1, 0);
        pass(watch, 100);
        answers(watch, 2, 0);
        pass(watch, 100);
        assertThat(heartbeats).containsExactly(Want.KERNEL_RELEASE, 0, Want.KERNEL_RELEASE);
        assertThat(watch.report().kernelRelease()).contains("6.1.0-of-the-kernel");
        assertThat(told).containsExactly("UNKNOWN -> HEALTHY", "rebooted");
    }

    @Test
    void one_that_is_silent_has_its_kernel_asked_before_it_has_failed() {
        Watch watch = watch("web");
        pass(watch, 1);
        answers(watch, 1, 0);
        pass(watch, 301);
        assertThat(watch.report().health()).isEqualTo(Health.SUSPECT);
        assertThat(probes).hasSize(1);
        probes.get(0).complete(Reach.GONE);
        assertThat(watch.report().health()).isEqualTo(Health.FAILED);
        assertThat(watch.report().kernelAnswers()).contains(false);
        assertThat(watch.tick(now, false)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void a_probe_that_cannot_be_made_condemns_nobody() {
        Watch watch = watch("web");
        pass(watch, 1);
        answers(watch, 1, 0);
        pass(watch, 301);
        probes.get(0).completeExceptionally(new IllegalStateException("no transport"));
        assertThat(watch.report().health()).isEqualTo(Health.SUSPECT);
        pass(watch, 110);
        assertThat(probes).hasSize(2);
    }

    /** An agent that has forgotten the connection never answers over it. */
    @Test
    void a_connection_over_which_nothing_comes_is_given_up_when_the_kernel_is_asked() {
        Watch watch = watch("web");
        pass(watch, 1);
        answers(watch, 1, 0);
        assertThat(resets).isEmpty();
        now += 301 * MS;
        watch.tick(now, false);
        assertThat(probes).hasSize(1);
        assertThat(resets).hasSize(1);
    }

    @Test
    void what_the_monitor_was_late_is_not_the_instances_silence() {
        Watch watch = watch("web");
        pass(watch, 1);
        answers(watch, 1, 0);
        now += 1_000 * MS;
        lateness += 950 * MS;
        watch.tick(now, false);
        assertThat(watch.report().health()).isEqualTo(Health.HEALTHY);
        assertThat(probes).isEmpty();
    }

    @Test
    void when_most_fall_silent_at_once_silent_kernels_are_no_proof() {
        List<Watch> watches = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            watches.add(watch("i" + i));
        }
        watches.forEach(watch -> watch.tick(now, false));
        watches.forEach(watch -> answers(watch, 1, 0));
        now += 301 * MS;
        watches.forEach(watch -> watch.tick(now, crowd.distrustsItself()));
        List.copyOf(probes).forEach(probe -> probe.complete(Reach.SILENT));
        assertThat(watches)
                .allSatisfy(watch -> assertThat(watch.report().health()).isEqualTo(Health.SUSPECT));
        now += 10 * MS;
        watches.subList(0, 4).forEach(watch -> answers(watch, 1, 0));
        now += 110 * MS;
        watches.get(4).tick(now, crowd.distrustsItself());
        probes.get(probes.size() - 1).complete(Reach.SILENT);
        assertThat(watches.get(4).report().health()).isEqualTo(Health.FAILED);
    }

    @Test
    void troubles_are_told_when_they_begin_and_end_and_shown_while_they_hold() {
        Watch watch = watch("web");
        watch.healthStatus(trouble(Condition.MEMORY_PRESSURE, Severity.WARNING));
        watch.healthStatus(trouble(Condition.MEMORY_PRESSURE, Severity.WARNING));
        watch.healthStatus(trouble(Condition.LEASE_EXPIRED, Severity.WARNING));
        assertThat(watch.report().troubles()).containsExactly("memory pressure");
        watch.healthStatus(trouble(Condition.MEMORY_PRESSURE, Severity.CLEARED));
        assertThat(watch.report().troubles()).isEmpty();
        assertThat(told)
                .containsExactly(
                        "memory pressure",
                        "the lease of a morph expired, the workload runs on",
                        "over: memory pressure");
        answers(watch, 1, 1 << Condition.WRITER_STUCK);
        assertThat(watch.report().troubles()).containsExactly("a synced write does not return");
        answers(watch, 1, 0);
        assertThat(watch.report().troubles()).isEmpty();
    }

    @Test
    void what_its_host_has_seen_needs_no_silence() {
        Watch watch = watch("web");
        watch.ended("killed by signal 9");
        assertThat(watch.report().reason()).isEqualTo("killed by signal 9");
        assertThat(told).containsExactly("UNKNOWN -> FAILED");
    }

    @Test
    void a_successor_takes_over_what_is_known_and_tells_nobody_again() {
        Watch old = watch("web");
        pass(old, 1);
        for (int i = 0; i < 30; i++) {
            answers(old, 1, 0);
            pass(old, 100);
        }
        HealthReport before = old.report();
        Watch next = watch("web");
        told.clear();
        next.resume(before);
        HealthReport after = next.report();
        assertThat(after.sent()).isEqualTo(before.sent());
        assertThat(after.kernelRelease()).isEqualTo(before.kernelRelease());
        assertThat(after.heartbeats()).isEqualTo(before.heartbeats());
        assertThat(after.windows()).isEqualTo(before.windows());
        old.ended("killed by signal 9");
        told.clear();
        Watch third = watch("web");
        third.resume(old.report());
        assertThat(third.report().health()).isEqualTo(Health.FAILED);
        assertThat(told).isEmpty();
    }

    @Test
    void the_newest_heartbeats_are_kept_and_no_more_than_that() {
        Watch watch = watch("web");
        pass(watch, 1);
        assertThat(watch.report().heartbeats()).isEmpty();
        assertThat(watch.report().lastHeartbeat()).isEmpty();
        List<Long> came = new ArrayList<>();
        for (int i = 0; i < 3 * HealthReport.HEARTBEATS; i++) {
            answers(watch, 1, 0);
            came.add(watch.report().lastHeartbeat().orElseThrow().receivedNanos());
            pass(watch, 100);
        }
        assertThat(came).doesNotHaveDuplicates();
        assertThat(watch.report().heartbeats())
                .extracting(Heartbeat::receivedNanos)
                .containsExactlyElementsOf(came.subList(2 * HealthReport.HEARTBEATS, came.size()));
    }

    @Test
    void a_connection_lost_with_a_heartbeat_under_way_costs_no_interval_of_silence() {
        Watch watch = watch("web");
        watch.lost("nothing was asked yet");
        assertThat(heartbeats).isEmpty();
        watch.tick(now, false);
        now += 1 * MS;
        watch.lost("its transport is replaced");
        assertThat(heartbeats).hasSize(2);
        watch.lost("one that goes on to hang up");
        assertThat(heartbeats).hasSize(2);
        now += 100 * MS;
        watch.tick(now, false);
        watch.lost("is asked again in the next interval");
        assertThat(heartbeats).hasSize(4);
        now += 100 * MS;
        watch.ended("it was killed");
        watch.lost("its socket is closed");
        assertThat(heartbeats).hasSize(4);
    }

    @Test
    void one_that_is_watched_no_more_does_nothing_and_counts_no_more() {
        Watch watch = watch("web");
        pass(watch, 1);
        watch.close();
        answers(watch, 1, 0);
        assertThat(watch.tick(now, false)).isEqualTo(Long.MAX_VALUE);
        assertThat(told).isEmpty();
        assertThat(crowd.distrustsItself()).isFalse();
    }

    @Test
    void a_policy_that_fails_is_replaced_by_one_that_has_heard_the_same() {
        Watch watch = watch("web");
        pass(watch, 1);
        answers(watch, 1, 0);
        GuardedJudge guarded = new GuardedJudge(
                new Judge() {
                    @Override
                    public void heard(Heartbeat heartbeat) {
                        throw new IllegalStateException("broken");
                    }

                    @Override
                    public Verdict verdict(long nowNanos) {
                        throw new IllegalStateException("broken");
                    }
                },
                new TimeoutPolicy().judge(TIMEOUT, Map.of()),
                failure -> told.add("policy failed: " + failure.getMessage()));
        watch.judgeBy(new Judgement("own", Optional.empty(), guarded, TIMEOUT, "own"));
        pass(watch, 310);
        assertThat(told).containsExactly("UNKNOWN -> HEALTHY", "policy failed: broken", "HEALTHY -> SUSPECT");
        assertThat(probes).hasSize(1);
    }

    private static HealthStatus trouble(int condition, Severity severity) {
        return new HealthStatus(1, condition, severity, WorkloadState.NONE, 1, 0, 0, 0, List.of());
    }

    /** An answer that was two milliseconds under way. */
    private static final class Answer implements HeartbeatReceipt {
        private final long receivedNanos;
        private final HeartbeatAnswerFlyweight figures;

        Answer(long receivedNanos, long bootId, int trouble) {
            this.receivedNanos = receivedNanos;
            ByteBuffer frame = ByteBuffer.allocate(FrameView.HEADER_LENGTH + HeartbeatAnswerFlyweight.LENGTH);
            figures = new HeartbeatAnswerFlyweight()
                    .wrap(frame, FrameView.HEADER_LENGTH)
                    .instanceId(1)
                    .agentState(AgentState.READY.code())
                    .bootId(bootId)
                    .memoryTotalBytes(1000)
                    .memoryAvailableBytes(400)
                    .trouble(trouble);
        }

        @Override
        public long sentNanos() {
            return receivedNanos - 2 * MS;
        }

        @Override
        public long receivedNanos() {
            return receivedNanos;
        }

        @Override
        public HeartbeatAnswerFlyweight figures() {
            return figures;
        }

        @Override
        public List<Item> items() {
            return List.of(new KernelRelease("6.1.0-of-the-kernel"));
        }
    }

    /** A session over which heartbeats are only counted. */
    private final class SilentSession implements KmpSession {
        @Override
        public Endpoint peer() {
            return new Endpoint("test", "x");
        }

        @Override
        public boolean connected() {
            return true;
        }

        @Override
        public <A extends Message> CompletableFuture<A> request(Message request, Class<A> answer, Duration deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public <A extends Message> CompletableFuture<A> requestOnce(
                Message request, Class<A> answer, Duration deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean heartbeat(int wants) {
            return heartbeats.add(wants);
        }

        @Override
        public void reset(String why) {
            resets.add(why);
        }

        @Override
        public void close() {}
    }
}
