// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.Optional;
import java.util.function.IntSupplier;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.RestartListener;
import org.kmorph.nativeos.Accounts;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
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

/**
 * The Unix socket of the daemon. Replaced by a newer version of this bundle it is never shut: the new one takes over the
 * path, and this one lets its callers finish. Where it must end before the new one begins, as when the api is replaced, its callers wait
 * in it until they can be sent to the new one.
 */
@Component(
        immediate = true,
        service = RestartListener.class,
        configurationPid = {"org.kmorph.control", "org.kmorph.control.roles"})
public final class ControlDoor implements RestartListener {
    private static final Logger LOG = LoggerFactory.getLogger(ControlDoor.class);

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** What runs longer than the first is cancelled, for a shell or a monitor has no end of its own; it ends within the second. */
    private static final Duration RESTART = Duration.ofMillis(500);

    private static final Duration CUT_OFF = Duration.ofSeconds(1);

    private static final int MOST_CONNECTIONS = 256;
    private static final int LONGEST_DRAIN_SECONDS = 86_400;

    private final BundleContext context;
    private final Accounts accounts;
    private final Runners runners = new Runners();
    private volatile RoleTable roles;
    private Settings settings;
    private ControlServer server;

    private record Settings(Path socket, Optional<String> group, int maxConnections, Duration drain) {}

    @Activate
    public ControlDoor(
            BundleContext context, @Reference Accounts accounts, ControlConfig config, RolesConfig rolesConfig)
            throws IOException {
        this.context = context;
        this.accounts = accounts;
        this.roles = new RoleTable(rolesConfig);
        this.settings = settings(config);
        this.server = open(settings);
    }

    /** What is in force stays in force when the new values are not possible. */
    @Modified
    synchronized void modified(ControlConfig config, RolesConfig rolesConfig) {
        roles = new RoleTable(rolesConfig);
        try {
            Settings now = settings(config);
            if (!now.socket().equals(settings.socket()) || !now.group().equals(settings.group())) {
                ControlServer old = server;
                server = open(now);
                old.drain(now.drain());
            }
            server.maxConnections(now.maxConnections());
            settings = now;
        } catch (IOException | IllegalArgumentException e) {
            LOG.error("the change of the control socket is refused: {}", e.getMessage());
        }
    }

    @Deactivate
    synchronized void deactivate() throws InterruptedException {
        if (context.getBundle(Constants.SYSTEM_BUNDLE_ID).getState() == Bundle.STOPPING) {
            runners.keep();
            server.drain(Duration.ZERO);
            server.awaitEnd(ControlServer.GOODBYE);
        } else {
            // in the background: the command that replaces this bundle may itself have come in by this door
            server.handOver(settings.drain());
        }
    }

    /** Commands that are being run still have all that they need, the journal above all; those to come wait for the next door. */
    @Override
    public synchronized void restarting() {
        server.handOver(settings.drain());
        if (!runners.drain(RESTART)) {
            server.cutOff();
            if (!runners.drain(CUT_OFF)) {
                LOG.warn("commands run on into the restart; what they print then is lost");
            }
        }
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void setRunner(CommandRunner runner) {
        runners.set(runner);
    }

    void unsetRunner(CommandRunner runner) {
        runners.unset(runner);
    }

    private ControlServer open(Settings wanted) throws IOException {
        UserPrincipal superuser = PeerIdentifier.superuser();
        SocketFile file = SocketFile.open(wanted.socket(), wanted.group(), DaemonIdentity.ofThisProcess());
        try {
            ControlServer opened = ControlServer.start(
                    file,
                    new ControlServer.Settings(wanted.maxConnections(), PATIENCE),
                    runners,
                    new PeerIdentifier(accounts, superuser, file.owner(), () -> roles));
            LOG.info("control socket {}", wanted.socket());
            return opened;
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    private Settings settings(ControlConfig config) {
        return new Settings(
                Directories.of(context).run().resolve(config.socket()),
                Optional.of(config.group()).filter(g -> !g.isEmpty()),
                number("max.connections", config::max_connections, 1, MOST_CONNECTIONS),
                Duration.ofSeconds(number("drain.seconds", config::drain_seconds, 0, LONGEST_DRAIN_SECONDS)));
    }

    private static int number(String key, IntSupplier value, int least, int most) {
        String wrong;
        try {
            int n = value.getAsInt();
            if (n >= least && n <= most) {
                return n;
            }
            wrong = "is " + n;
        } catch (RuntimeException e) {
            // so the component runtime says that the text in the file is no number
            wrong = "is not a number";
        }
        throw new IllegalArgumentException(
                key + " in etc/org.kmorph.control.cfg " + wrong + ", and must be " + least + " to " + most);
    }
}
