// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.Shell;
import org.kmorph.api.daemon.Directories;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The SSH door as a component. It opens when the framework has started, so that the daemon is ready without waiting for it. Its
 * references are optional, because the door stays open while the bundles behind it are replaced.
 */
@Component(
        service = {},
        immediate = true,
        configurationPid = SshConfiguration.PID)
@Designate(ocd = SshConfiguration.class)
public final class SshComponent {
    private static final Logger LOG = LoggerFactory.getLogger(SshComponent.class);
    /** While the daemon stops nobody waits longer than this for a person to leave. */
    private static final Duration DRAIN_AT_STOP = Duration.ofSeconds(1);

    private final BundleContext context;
    private final Directories directories;
    private final ServiceSlot<CommandRunner> runner = new ServiceSlot<>();
    private final ServiceSlot<Shell> shell = new ServiceSlot<>();
    private final FrameworkListener whenStarted = this::frameworkEvent;
    private Optional<SshDoor> door = Optional.empty();
    private Optional<SshSettings> settings = Optional.empty();

    @Activate
    public SshComponent(BundleContext context, SshConfiguration configuration) {
        this.context = context;
        this.directories = Directories.of(context);
        take(configuration);
        context.addFrameworkListener(whenStarted);
        // asked for after the listener is there, or the event could fall between
        if (systemBundle().getState() == Bundle.ACTIVE) {
            open();
        }
    }

    @Modified
    void modified(SshConfiguration configuration) {
        if (take(configuration)) {
            if (settings.isPresent()) {
                open();
            } else {
                shut(Duration.ZERO, "the SSH door was switched off");
            }
        }
    }

    @Deactivate
    void deactivate() {
        context.removeFrameworkListener(whenStarted);
        boolean stopping = systemBundle().getState() != Bundle.ACTIVE;
        Duration drain = settings.map(SshSettings::drain).orElse(Duration.ZERO);
        if (stopping) {
            shut(drain.compareTo(DRAIN_AT_STOP) < 0 ? drain : DRAIN_AT_STOP, "the daemon is stopping");
        } else {
            shut(drain, "this SSH door is being replaced, connect again");
        }
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void setRunner(CommandRunner now) {
        runner.set(now);
    }

    void unsetRunner(CommandRunner gone) {
        runner.unset(gone);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void setShell(Shell now) {
        shell.set(now);
    }

    void unsetShell(Shell gone) {
        shell.unset(gone);
    }

    private void frameworkEvent(FrameworkEvent event) {
        if (event.getType() == FrameworkEvent.STARTED) {
            open();
        }
    }

    /** Whether the configuration was taken; one with an unfit value changes nothing. */
    private synchronized boolean take(SshConfiguration configuration) {
        try {
            settings = configuration.enabled()
                    ? Optional.of(SshSettings.of(configuration, directories))
                    : Optional.empty();
            return true;
        } catch (IllegalArgumentException e) {
            LOG.error("{}.cfg is not taken, what was in force stays: {}", SshConfiguration.PID, e.getMessage());
            return false;
        }
    }

    private synchronized void open() {
        if (settings.isEmpty()) {
            return;
        }
        if (door.isEmpty()) {
            door = Optional.of(new SshDoor(new Engine(runner, shell)));
        }
        door.get().open(settings.get(), this::hasPredecessor);
    }

    private void shut(Duration drain, String why) {
        Optional<SshDoor> open;
        synchronized (this) {
            open = door;
            door = Optional.empty();
        }
        open.ifPresent(each -> each.close(drain, why));
    }

    /** Whether another version of this bundle is there, from which this one takes over. */
    private boolean hasPredecessor() {
        Bundle self = context.getBundle();
        return Arrays.stream(context.getBundles())
                .filter(other -> other.getBundleId() != self.getBundleId())
                .filter(other -> self.getSymbolicName().equals(other.getSymbolicName()))
                .anyMatch(other -> other.getState() == Bundle.ACTIVE || other.getState() == Bundle.STOPPING);
    }

    private Bundle systemBundle() {
        return context.getBundle(0);
    }
}
