// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.Succession;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthListener;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.recovery.RecoveryListener;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.time.TimeSource;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears of every event and gives it to every outlet, on a thread of its own. It begins once its predecessor has stopped
 * ({@link Succession}); while both are there both hear of the same, and the events of that short time may be told twice.
 */
@Component(
        service = {Notifier.class, HealthListener.class, RecoveryListener.class},
        configurationPid = "org.kmorph.notify",
        immediate = true)
@Designate(ocd = NotifyConfig.class)
public final class Notifier implements HealthListener, RecoveryListener {
    private static final Logger LOG = LoggerFactory.getLogger(Notifier.class);

    private static final int MAX_WAITING = 10_000;

    private final NotifyConfig config;
    private final Path hooks;
    private final Path state;
    private final TimeSource time;
    private final BlockingQueue<Event> heard = new ArrayBlockingQueue<>(MAX_WAITING);
    private final Succession succession;
    private final CountDownLatch told = new CountDownLatch(1);
    private volatile boolean acting;
    private volatile List<Outlet> outlets = List.of();

    @Activate
    public Notifier(NotifyConfig config, BundleContext context, @Reference TimeSource time) throws IOException {
        this.config = config;
        this.time = time;
        Directories directories = Directories.of(context);
        hooks = directories.etc().resolve("hooks.d");
        state = Files.createDirectories(directories.state().resolve("notify"));
        succession = new Succession(
                state.resolve("lock"),
                "kmorph-notify",
                this::tell,
                e -> LOG.error("nobody is notified of anything: {}", e.getMessage(), e));
    }

    @Activate
    void begin() {
        succession.begin();
    }

    private void tell() throws InterruptedException {
        acting = true;
        try {
            outlets = open();
            distribute();
        } finally {
            outlets.forEach(Outlet::close);
            told.countDown();
        }
    }

    /** Each for itself: what keeps one from being opened keeps no event from the other. */
    private List<Outlet> open() {
        List<Outlet> made = new ArrayList<>();
        made.add(new Hooks(hooks, state, Duration.ofSeconds(config.hook_seconds()), config.hook_waiting(), time));
        if (!config.webhook_url().isBlank()) {
            try {
                made.add(webhook());
            } catch (IllegalArgumentException e) {
                LOG.error("webhook.url in etc/org.kmorph.notify.cfg: {}; nothing is posted", e.getMessage());
            } catch (IOException e) {
                LOG.error("the webhook's spool below {} cannot be used: {}; nothing is posted", state, e.toString());
            }
        }
        return List.copyOf(made);
    }

    private Webhook webhook() throws IOException {
        Optional<Path> authorization = Optional.of(config.webhook_authorization_file())
                .filter(file -> !file.isBlank())
                .map(Path::of);
        Webhook.Target target = new Webhook.Target(
                Webhook.Target.address(config.webhook_url().strip()),
                authorization,
                Duration.ofSeconds(config.webhook_seconds()));
        return new Webhook(target, new Spool(state.resolve("spool"), config.webhook_waiting()), time);
    }

    private void distribute() throws InterruptedException {
        for (Event next = heard.take(); next != Event.END; next = heard.take()) {
            Event event = next;
            outlets.forEach(outlet -> outlet.take(event));
        }
    }

    @Deactivate
    void stop() throws InterruptedException {
        heard.put(Event.END);
        if (acting) {
            told.await();
        }
        succession.end();
    }

    private void hear(Event event) {
        if (!heard.offer(event)) {
            LOG.error("{} events wait to be told; {} is dropped", MAX_WAITING, event);
        }
    }

    /** Sends an event that says nothing but who asked for it. */
    void test(String by) {
        hear(Event.test(by, time.now()));
    }

    List<Outlet.Status> status() {
        return outlets.stream().map(Outlet::status).toList();
    }

    @Override
    public void changed(HealthReport report, Health before) {
        hear(Event.health(report, before, time.now()));
    }

    @Override
    public void troubled(HealthReport report, String trouble) {
        hear(Event.trouble(report, trouble, time.now()));
    }

    @Override
    public void rebooted(HealthReport report) {
        hear(Event.rebooted(report, time.now()));
    }

    @Override
    public void changed(RecoveryReport report) {
        hear(Event.recovery(report, time.now()));
    }
}
