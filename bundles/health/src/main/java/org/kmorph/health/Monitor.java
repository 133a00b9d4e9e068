// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthPolicy;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceListener;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.policy.PolicyListener;
import org.kmorph.kmp.message.HeartbeatAnswer;
import org.kmorph.kmp.message.HeartbeatRequest;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The monitor, without a framework around it: a {@link Watch} for each instance that runs and is to be watched. It keeps nothing that must
 * survive. A successor that is started beside it watches for itself from its first moment, and takes over the figures of this one.
 * Thread-safe, but for {@link #turn}, which is for one thread.
 */
public final class Monitor implements HealthMonitor, InstanceListener, PolicyListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Monitor.class);

    private final MonitorSurroundings services;
    private final Beat beat;
    private final Telling telling;
    private final Routes routes;
    private final List<HealthPolicy> healthPolicies = new CopyOnWriteArrayList<>();
    private final Judges judges;
    private final WatchSurroundings surroundings;

    /** Those that run, by name, watched or not. */
    private final Map<String, Instance> running = new ConcurrentHashMap<>();

    private final Map<String, Watch> watches = new ConcurrentHashMap<>();

    /** How those ended that are not watched. */
    private final Map<String, End> unwatchedEnds = new ConcurrentHashMap<>();

    private record End(int id, String how) {}

    public Monitor(MonitorSurroundings services) {
        this.services = services;
        Crowd crowd = new Crowd();
        beat = new Beat(crowd, services.wake());
        telling = new Telling(services.listeners(), services.teller());
        judges = new Judges(services.policies(), () -> healthPolicies);
        routes = new Routes(services.client(), services.transports());
        surroundings = new WatchSurroundings(services.time(), beat::latenessNanos, crowd, routes, telling);
    }

    /**
     * Sends the heartbeats that are due and judges silence.
     *
     * @return when to call again, if nobody wakes before
     */
    public long turn(long nowNanos) {
        return beat.turn(nowNanos);
    }

    /** Watches no more. {@link #turn} is not called any more. */
    @Override
    public void close() {
        watches.values().forEach(Watch::close);
        telling.stop();
    }

    /** Of two of one name, which happens while a policy's bundle is replaced, the newer counts. */
    public void addPolicy(HealthPolicy policy) {
        healthPolicies.add(0, policy);
        changed(Optional.empty());
    }

    public void removePolicy(HealthPolicy policy) {
        healthPolicies.remove(policy);
        changed(Optional.empty());
    }

    @Override
    public void changed(Instance instance) {
        if (instance.state() != InstanceState.RUNNING || instance.endpoint().isEmpty()) {
            gone(instance);
            return;
        }
        running.put(instance.name(), instance);
        if (instance.spec().monitor()) {
            watches.compute(
                    instance.name(),
                    (name, watch) -> watch != null && isOf(watch, instance) ? watch : watch(instance, watch));
        }
    }

    private static boolean isOf(Watch watch, Instance instance) {
        return watch.instance().id() == instance.id()
                && watch.instance().endpoint().equals(instance.endpoint());
    }

    private Watch watch(Instance instance, Watch former) {
        if (former != null) {
            former.close();
        }
        Judgement judgement = judges.of(instance);
        warn(instance, judgement);
        Watch made = new Watch(instance, judgement, surroundings);
        services.predecessor()
                .apply(instance.name())
                .filter(known -> known.id() == instance.id())
                .ifPresent(made::resume);
        beat.add(made);
        return made;
    }

    private static void warn(Instance instance, Judgement judgement) {
        judgement.instead().ifPresent(text -> LOG.warn("instance \"{}\": {}", instance.name(), text));
    }

    @Override
    public void gone(Instance last) {
        running.remove(last.name());
        unwatchedEnds.remove(last.name());
        Optional.ofNullable(watches.remove(last.name())).ifPresent(Watch::close);
    }

    @Override
    public void ended(Instance instance, String how) {
        Watch watch = watches.get(instance.name());
        if (watch != null && isOf(watch, instance)) {
            watch.ended(how);
        } else if (Optional.ofNullable(running.get(instance.name()))
                .filter(bearer -> bearer.id() == instance.id())
                .isPresent()) {
            unwatchedEnds.put(instance.name(), new End(instance.id(), how));
        }
    }

    @Override
    public void changed(Optional<String> name) {
        name.map(one -> Optional.ofNullable(watches.get(one)).stream())
                .orElseGet(() -> watches.values().stream())
                .forEach(this::judgeAnew);
    }

    private void judgeAnew(Watch watch) {
        Judgement judgement = judges.of(watch.instance());
        if (!judgement.key().equals(watch.judgement().key())) {
            warn(watch.instance(), judgement);
            watch.judgeBy(judgement);
        }
    }

    @Override
    public Optional<HealthReport> report(String instance) {
        return Optional.ofNullable(watches.get(instance)).map(Watch::report).or(() -> unwatched(instance));
    }

    /** One that is not watched is said to have failed when its host has told so, and otherwise nothing is said of it. */
    private Optional<HealthReport> unwatched(String instance) {
        return Optional.ofNullable(unwatchedEnds.get(instance))
                .map(end -> new HealthReport(
                        instance,
                        end.id(),
                        Health.FAILED,
                        end.how() + "; not watched",
                        Optional.of(end.how()),
                        "",
                        Optional.of(false),
                        Optional.empty(),
                        List.of(),
                        List.of(),
                        0,
                        0,
                        Map.of()));
    }

    @Override
    public List<HealthReport> reports() {
        return watches.values().stream().map(Watch::report).toList();
    }

    @Override
    public List<HealthReport> reports(Health judged) {
        return watches.values().stream()
                .filter(watch -> watch.health() == judged)
                .map(Watch::report)
                .toList();
    }

    @Override
    public Optional<Duration> ping(String instance, Duration deadline) throws InterruptedException {
        Watch watch = watches.get(instance);
        if (watch != null) {
            return ping(watch.session(), deadline);
        }
        Instance unwatched = running.get(instance);
        if (unwatched == null) {
            return Optional.empty();
        }
        try (KmpSession session = routes.open(unwatched, new SessionListener() {})) {
            return ping(session, deadline);
        }
    }

    private Optional<Duration> ping(KmpSession session, Duration deadline) throws InterruptedException {
        long sent = services.time().nanos();
        CompletableFuture<Long> received = session.requestOnce(
                        new HeartbeatRequest(0, List.of()), HeartbeatAnswer.class, deadline)
                .thenApply(answer -> services.time().nanos());
        try {
            return Optional.of(Duration.ofNanos(services.time().await(received, deadline) - sent));
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("no answer to a ping of {}", session.peer(), e);
            return Optional.empty();
        }
    }
}
