// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.PublicKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionDisconnectHandler;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.common.session.helpers.TimeoutIndicator;
import org.apache.sshd.common.session.helpers.TimeoutIndicator.TimeoutStatus;
import org.apache.sshd.server.auth.pubkey.PublickeyAuthenticator;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.session.ServerSession;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.Door;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who is connected: the keys that open, the limits, the idle, and the end of all when the door is replaced. Thread-safe. */
final class Sessions implements SessionListener, SessionDisconnectHandler, PublickeyAuthenticator, Channel.Keeper {
    private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);
    private static final AttributeKey<AuthorizedKey> KEY = new AttributeKey<>();

    /** A client whose command has ended needs a moment to hear so and to leave by itself. */
    private static final Duration FOR_LEAVING = Duration.ofSeconds(1);

    private final AuthorizedKeysFile keys;
    private final int maxSessions;
    private final int maxUnauthenticated;
    private final Duration idleTimeout;
    private final Map<Session, Boolean> connections = new HashMap<>();
    private final Set<Channel> channels = new HashSet<>();
    private boolean closing;
    /** When a channel ended last, by the nanosecond clock. */
    private long lastEnd = System.nanoTime() - FOR_LEAVING.toNanos();

    Sessions(SshSettings settings) {
        keys = new AuthorizedKeysFile(settings.authorizedKeys());
        maxSessions = settings.maxSessions();
        maxUnauthenticated = settings.maxUnauthenticated();
        idleTimeout = settings.idleTimeout();
        keys.refresh();
    }

    // who may come in

    @Override
    public boolean authenticate(String login, PublicKey key, ServerSession session) {
        Optional<AuthorizedKey> holder = keys.find(key);
        if (holder.isEmpty()) {
            LOG.info(
                    "SSH {}: refused the key {}, it is not authorised",
                    session.getRemoteAddress(),
                    AuthorizedKeys.fingerprint(key));
            return false;
        }
        if (isFull()) {
            LOG.warn(
                    "SSH {}: refused {}, {} sessions are open, the limit",
                    session.getRemoteAddress(),
                    holder.get().name(),
                    maxSessions);
            disconnect(
                    session,
                    SshConstants.SSH2_DISCONNECT_TOO_MANY_CONNECTIONS,
                    maxSessions
                            + " sessions are open, which is the limit; close one, or raise max.sessions in org.kmorph.ssh.cfg");
            return false;
        }
        // called for each key that is offered, last for the one whose signature then counts
        session.setAttribute(KEY, holder.get());
        return true;
    }

    private synchronized boolean isFull() {
        return connections.values().stream().filter(loggedIn -> loggedIn).count() >= maxSessions;
    }

    @Override
    public void sessionCreated(Session session) {
        boolean tooMany;
        synchronized (this) {
            long waiting = connections.values().stream().filter(in -> !in).count();
            tooMany = waiting >= maxUnauthenticated;
            if (!tooMany) {
                connections.put(session, false);
            }
        }
        if (tooMany) {
            LOG.warn(
                    "SSH {}: refused, {} connections are logging in already, the limit",
                    session.getRemoteAddress(),
                    maxUnauthenticated);
            session.close(true);
        }
    }

    @Override
    public void sessionEvent(Session session, Event event) {
        if (event != Event.Authenticated) {
            return;
        }
        boolean tooMany;
        synchronized (this) {
            tooMany = isFull();
            if (!tooMany) {
                connections.put(session, true);
            }
        }
        AuthorizedKey key = session.getAttribute(KEY);
        if (tooMany) {
            // two came in at the same moment; within the log-in nothing can be said any more
            LOG.warn("SSH {}: closed, {} sessions are open, the limit", session.getRemoteAddress(), maxSessions);
            session.close(true);
        } else {
            LOG.info(
                    "SSH {}: {} came in as {} with {}",
                    session.getRemoteAddress(),
                    key.name(),
                    key.role(),
                    key.fingerprint());
        }
    }

    @Override
    public synchronized void sessionClosed(Session session) {
        connections.remove(session);
        notifyAll();
    }

    @Override
    public boolean handleTimeoutDisconnectReason(Session session, TimeoutIndicator timeout) throws IOException {
        if (timeout.getStatus() != TimeoutStatus.IdleTimeout) {
            return false;
        }
        if (hasCommandRunning(session)) {
            session.resetIdleTimeout();
            return true;
        }
        LOG.info("SSH {}: idle for {} s, closed", session.getRemoteAddress(), idleTimeout.toSeconds());
        disconnect(
                session,
                SshConstants.SSH2_DISCONNECT_BY_APPLICATION,
                "closed after " + idleTimeout.toSeconds() + " s without a byte");
        return true;
    }

    // what they do

    @Override
    public synchronized Optional<Caller> caller(ChannelSession channel) {
        ServerSession session = channel.getServerSession();
        AuthorizedKey loggedIn = session.getAttribute(KEY);
        if (closing || loggedIn == null || !connections.getOrDefault(session, false)) {
            return Optional.empty();
        }
        return keys.find(loggedIn.fingerprint())
                .map(now -> new Caller(
                        now.name(),
                        now.role(),
                        Door.SSH,
                        origin(session.getRemoteAddress()) + " " + now.fingerprint()));
    }

    @Override
    public synchronized void opened(Channel channel) {
        channels.add(channel);
    }

    @Override
    public synchronized void closed(Channel channel) {
        channels.remove(channel);
        lastEnd = System.nanoTime();
        notifyAll();
    }

    private synchronized boolean hasCommandRunning(Session session) {
        return channels.stream().anyMatch(channel -> !channel.conversation() && channel.belongsTo(session));
    }

    // how it ends

    /**
     * Lets nothing new begin, tells everybody, and waits until what goes on has ended, at most so long; then closes all.
     *
     * @param why for the people who are connected
     */
    void drain(Duration atMost, String why) {
        List<Channel> told;
        synchronized (this) {
            closing = true;
            told = channels.stream().filter(Channel::conversation).toList();
        }
        told.forEach(channel -> channel.say(why + "; this session ends in " + (atMost.toMillis() + 999) / 1000 + " s"));
        try {
            awaitEnd(System.nanoTime() + atMost.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        List<Session> left;
        synchronized (this) {
            left = List.copyOf(connections.keySet());
        }
        left.forEach(session -> disconnect(session, SshConstants.SSH2_DISCONNECT_BY_APPLICATION, why));
    }

    private synchronized void awaitEnd(long end) throws InterruptedException {
        for (long left = end - System.nanoTime(); left > 0 && somebodyIsBusy(); left = end - System.nanoTime()) {
            wait(Math.min(100, 1 + left / 1_000_000));
        }
    }

    private boolean somebodyIsBusy() {
        return !connections.isEmpty()
                && (channels.stream().anyMatch(Channel::holdsTheDoor)
                        || System.nanoTime() - lastEnd < FOR_LEAVING.toNanos());
    }

    /** Whether nobody is connected any more. */
    synchronized boolean isEmpty() {
        return connections.isEmpty();
    }

    private static void disconnect(Session session, int reason, String message) {
        try {
            session.disconnect(reason, message);
        } catch (IOException e) {
            LOG.debug("the SSH client has gone already", e);
            session.close(true);
        }
    }

    private static String origin(SocketAddress address) {
        return address instanceof InetSocketAddress inet
                ? inet.getAddress().getHostAddress() + ":" + inet.getPort()
                : String.valueOf(address);
    }
}
