// SPDX-License-Identifier: Apache-2.0
package org.kmorph.systemd;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.ReloadListener;
import org.kmorph.nativeos.UnixDatagrams;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@link Link} to systemd, where the daemon was started by it; does nothing and loads nothing where it was not. */
@Component(service = ReloadListener.class, immediate = true, configurationPid = "org.kmorph.control")
public final class SystemdComponent implements ReloadListener {
    private static final Logger LOG = LoggerFactory.getLogger(SystemdComponent.class);
    private static final Duration LONGEST_CHECK = Duration.ofSeconds(5);

    private final BundleContext context;
    private final SynchronousBundleListener whenStopping = this::bundleChanged;
    private final Optional<Link> link;
    private final Duration forCheck;
    private volatile SelfCheck selfCheck;
    private volatile Optional<CommandRunner> runner = Optional.empty();

    @Activate
    public SystemdComponent(
            BundleContext context, @Reference UnixDatagrams datagrams, ControlSocketConfiguration configuration) {
        this(context, datagrams, configuration, System.getenv());
    }

    SystemdComponent(
            BundleContext context,
            UnixDatagrams datagrams,
            ControlSocketConfiguration configuration,
            Map<String, String> environment) {
        this.context = context;
        Optional<Duration> watchdog =
                watchdog(environment, ProcessHandle.current().pid());
        // two checks must fit into the limit
        forCheck = watchdog.map(limit -> limit.dividedBy(4))
                .filter(quarter -> quarter.compareTo(LONGEST_CHECK) < 0)
                .orElse(LONGEST_CHECK);
        selfCheck = selfCheck(configuration);
        link = address(environment).map(address -> new Link(datagrams, address, watchdog, this::problem));
        link.ifPresent(now -> {
            context.addBundleListener(whenStopping);
            now.start();
        });
    }

    @Modified
    void modified(ControlSocketConfiguration configuration) {
        selfCheck = selfCheck(configuration);
    }

    @Deactivate
    void deactivate() {
        context.removeBundleListener(whenStopping);
        link.ifPresent(Link::close);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void setRunner(CommandRunner now) {
        runner = Optional.of(now);
    }

    void unsetRunner(CommandRunner gone) {
        runner = runner.filter(now -> now != gone);
    }

    @Override
    public void reloading() {
        link.ifPresent(Link::reloading);
    }

    @Override
    public void reloaded() {
        link.ifPresent(Link::reloaded);
    }

    private Optional<String> problem() {
        return runner.isEmpty() ? Optional.of("there are no commands yet") : selfCheck.problem();
    }

    private void bundleChanged(BundleEvent event) {
        // the framework's own bundle stops before all others
        if (event.getType() == BundleEvent.STOPPING && event.getBundle().getBundleId() == 0) {
            link.ifPresent(Link::stopping);
        }
    }

    private SelfCheck selfCheck(ControlSocketConfiguration configuration) {
        Path socket = Directories.of(context).run().resolve(configuration.socket());
        return new SelfCheck(socket, forCheck);
    }

    private static Optional<String> address(Map<String, String> environment) {
        Optional<String> address = Optional.ofNullable(environment.get("NOTIFY_SOCKET"));
        if (address.filter(text -> !text.startsWith("/") && !text.startsWith("@"))
                .isPresent()) {
            LOG.error("systemd is not told anything: NOTIFY_SOCKET is {}, a Unix socket was expected", address.get());
            return Optional.empty();
        }
        return address;
    }

    /** sd_watchdog_enabled(3): the limit counts for the process that WATCHDOG_PID names, if it names one. */
    static Optional<Duration> watchdog(Map<String, String> environment, long self) {
        String limit = environment.getOrDefault("WATCHDOG_USEC", "");
        String pid = environment.getOrDefault("WATCHDOG_PID", Long.toString(self));
        if (limit.isEmpty() || !pid.equals(Long.toString(self))) {
            return Optional.empty();
        }
        try {
            long micros = Long.parseLong(limit);
            if (micros > 0) {
                return Optional.of(Duration.ofNanos(TimeUnit.MICROSECONDS.toNanos(micros)));
            }
        } catch (NumberFormatException e) {
            LOG.debug("not a number", e);
        }
        LOG.error("systemd's watchdog is not served: WATCHDOG_USEC is {}, a number above 0 was expected", limit);
        return Optional.empty();
    }
}
