// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import org.kmorph.api.time.Randomness;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The service. What it opened is closed when it stops: whoever used it opens sessions of its successor. */
@Component
public final class Clients implements KmpClient {
    private static final String STOPS = "the KMP client stops";

    private final Surroundings surroundings;
    private final ThreadTimer timer;
    private final Set<Session> sessions = Collections.synchronizedSet(new LinkedHashSet<>());

    private volatile boolean stopped;

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    private volatile List<Transport> transports = List.of();

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile TimeSource time;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Randomness randomness;

    @Activate
    public Clients() {
        TimeSource clocks = TimeSource.from(() -> this.time);
        timer = ThreadTimer.make();
        surroundings = new Surroundings(
                clocks,
                () -> this.randomness.nextLong(),
                timer,
                this::transport,
                BootOffset.of(clocks, Path.of("/proc/uptime")));
    }

    /**
     * For who has no framework.
     *
     * @param executor one thread, which does what is to be done later
     */
    public Clients(
            TimeSource time, Randomness randomness, ScheduledExecutorService executor, List<Transport> transports) {
        timer = new ThreadTimer(executor);
        this.time = time;
        this.randomness = randomness;
        surroundings = new Surroundings(time, randomness, timer, this::transport, () -> 0);
        this.transports = List.copyOf(transports);
    }

    @Deactivate
    public void stop() {
        stopped = true;
        List.copyOf(sessions).forEach(session -> session.close(STOPS));
        timer.stop();
    }

    /** The newest of a scheme: while one is replaced there are two, sorted by the framework with the preferred one last. */
    private Optional<Transport> transport(String scheme) {
        return transports.stream()
                .filter(transport -> transport.scheme().equals(scheme))
                .reduce((first, second) -> second);
    }

    @Override
    public KmpSession open(Endpoint peer, long instanceId, Duration connectDeadline, SessionListener listener) {
        Session session = new Session(peer, instanceId, connectDeadline, listener, surroundings, sessions::remove);
        sessions.add(session);
        if (stopped) {
            // nothing would ever come of what is asked
            session.close(STOPS);
        }
        return session;
    }
}
