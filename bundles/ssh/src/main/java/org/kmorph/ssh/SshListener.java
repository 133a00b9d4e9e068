// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import org.apache.sshd.common.Factory;
import org.apache.sshd.common.FactoryManager;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.compression.BuiltinCompressions;
import org.apache.sshd.common.file.nonefs.NoneFileSystemFactory;
import org.apache.sshd.common.global.KeepAliveHandler;
import org.apache.sshd.common.io.IoAcceptor;
import org.apache.sshd.common.io.IoServiceFactory;
import org.apache.sshd.common.io.IoServiceFactoryFactory;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.mac.BuiltinMacs;
import org.apache.sshd.common.signature.BuiltinSignatures;
import org.apache.sshd.common.signature.Signature;
import org.apache.sshd.common.util.threads.CloseableExecutorService;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.ServerBuilder;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.server.channel.ChannelSessionFactory;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.apache.sshd.server.global.NoMoreSessionsHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One listening socket with the sessions that came in through it. Made, opened, perhaps retired (no new connections), closed; one
 * thread at a time.
 */
final class SshListener {
    private static final Logger LOG = LoggerFactory.getLogger(SshListener.class);
    /** As OpenSSH's MaxSessions: channels at a time in one connection. */
    private static final int CHANNELS_OF_A_SESSION = 10;

    private static final List<NamedFactory<Signature>> SIGNATURES = List.of(
            BuiltinSignatures.ed25519,
            BuiltinSignatures.sk_ssh_ed25519,
            BuiltinSignatures.nistp256,
            BuiltinSignatures.nistp384,
            BuiltinSignatures.nistp521,
            BuiltinSignatures.rsaSHA512,
            BuiltinSignatures.rsaSHA256);

    private final SshSettings settings;
    private final Sessions sessions;
    private final Server server;

    /** The server of sshd, with access to its acceptor. */
    private static final class Server extends SshServer {
        /** Given as a factory, so that sshd closes the services with the server. */
        Server() {
            setIoServiceFactoryFactory(new IoServiceFactoryFactory() {
                @Override
                public IoServiceFactory create(FactoryManager manager) {
                    try {
                        return new SharedPortServices(manager);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }

                @Override
                public void setExecutorServiceFactory(Factory<CloseableExecutorService> factory) {
                    throw new IllegalStateException("the services make their own threads");
                }
            });
        }

        void stopListening() {
            IoAcceptor now = acceptor;
            if (now != null) {
                now.unbind();
            }
        }
    }

    /**
     * Prepares everything and does not listen yet.
     *
     * @throws IOException when there is no host key to be had; the message says what to do
     */
    SshListener(SshSettings settings, Engine engine) throws IOException {
        this.settings = settings;
        KeyPair hostKey = new HostKeyFile(settings.hostKey()).loadOrCreate();
        sessions = new Sessions(settings);
        Server bare = new Server();
        ServerBuilder.builder().factory(() -> bare).build();
        server = bare;
        server.setKeyPairProvider(KeyPairProvider.wrap(hostKey));
        server.setPublickeyAuthenticator(sessions);
        server.setShellFactory(channel -> new Channel(sessions, true, engine::shell));
        server.setCommandFactory(
                (channel, line) -> new Channel(sessions, false, session -> engine.line(session, line)));
        server.addSessionListener(sessions);
        server.setSessionDisconnectHandler(sessions);
        offerOnlyWhatIsNeeded();
        setAlgorithms();
        setLimits();
    }

    /**
     * Listens.
     *
     * @param beside whether another version of us may be listening there; else anyone at that port is in the way
     * @throws IOException when the address cannot be had; the message says what to do
     */
    void open(boolean beside) throws IOException {
        InetSocketAddress address = new InetSocketAddress(settings.host(), settings.port());
        if (address.isUnresolved()) {
            throw new IOException("SSH cannot listen: the host \"" + settings.host()
                    + "\" has no address; correct host in org.kmorph.ssh.cfg");
        }
        try {
            if (!beside && settings.port() != 0) {
                // a shared port would let two daemons of one user take each other's callers: see first that it is free
                new ServerSocket(settings.port(), 1, address.getAddress()).close();
            }
            server.setHost(settings.host());
            server.setPort(settings.port());
            server.start();
        } catch (BindException e) {
            throw new IOException(
                    "SSH cannot listen on " + settings.host() + ":" + settings.port() + ": " + e.getMessage()
                            + "; end what listens there, or set another port in org.kmorph.ssh.cfg",
                    e);
        }
        LOG.info("SSH listens on {}:{}", settings.host(), server.getPort());
    }

    /** The port, once open. */
    int port() {
        return server.getPort();
    }

    /** Whether it listens where the settings say. */
    boolean isAt(SshSettings other) {
        return settings.host().equals(other.host()) && settings.port() == other.port();
    }

    /** Takes no more connections; those that are there go on. */
    void retire() {
        server.stopListening();
    }

    /** Whether the last connection has gone. */
    boolean isIdle() {
        return sessions.isEmpty();
    }

    /** Takes no more connections, gives those that are there so long to end, and closes. */
    void close(Duration drain, String why) {
        retire();
        sessions.drain(drain, why);
        try {
            server.stop();
        } catch (IOException e) {
            LOG.warn("the SSH door did not close cleanly", e);
        }
    }

    private void offerOnlyWhatIsNeeded() {
        server.setUserAuthFactories(List.of(new UserAuthPublicKeyFactory(SIGNATURES)));
        List<ChannelFactory> sessionsOnly = List.of(ChannelSessionFactory.INSTANCE);
        server.setChannelFactories(sessionsOnly);
        server.setGlobalRequestHandlers(List.of(new KeepAliveHandler(), NoMoreSessionsHandler.INSTANCE));
        server.setSubsystemFactories(List.of());
        server.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
        server.setFileSystemFactory(NoneFileSystemFactory.INSTANCE);
        server.setCompressionFactories(List.of(BuiltinCompressions.none));
    }

    private void setAlgorithms() {
        server.setKeyExchangeFactories(NamedFactory.setUpTransformedFactories(
                false,
                List.of(
                        BuiltinDHFactories.mlkem768x25519,
                        BuiltinDHFactories.sntrup761x25519,
                        BuiltinDHFactories.sntrup761x25519_openssh,
                        BuiltinDHFactories.curve25519,
                        BuiltinDHFactories.curve25519_libssh,
                        BuiltinDHFactories.ecdhp521,
                        BuiltinDHFactories.ecdhp384,
                        BuiltinDHFactories.ecdhp256),
                ServerBuilder.DH2KEX));
        // the host has a key of one kind only; callers are told from this which of theirs may sign (server-sig-algs,
        // RFC 8308)
        server.setSignatureFactories(SIGNATURES);
        server.setCipherFactories(List.of(
                BuiltinCiphers.cc20p1305_openssh,
                BuiltinCiphers.aes256gcm,
                BuiltinCiphers.aes128gcm,
                BuiltinCiphers.aes256ctr,
                BuiltinCiphers.aes128ctr));
        server.setMacFactories(List.of(BuiltinMacs.hmacsha256etm, BuiltinMacs.hmacsha512etm));
    }

    private void setLimits() {
        CoreModuleProperties.SERVER_IDENTIFICATION.set(server, "kmorph");
        CoreModuleProperties.AUTH_TIMEOUT.set(server, settings.loginGrace());
        // each key makes two requests, one that asks and one that signs; the first request of all only asks what there
        // is
        CoreModuleProperties.MAX_AUTH_REQUESTS.set(server, 2 * settings.maxAuthTries() + 1);
        CoreModuleProperties.IDLE_TIMEOUT.set(server, settings.idleTimeout());
        // the idle time-out is the one that counts, also for a client that does not read
        CoreModuleProperties.NIO2_READ_TIMEOUT.set(
                server, settings.idleTimeout().plusSeconds(15));
        CoreModuleProperties.WAIT_FOR_SPACE_TIMEOUT.set(server, settings.idleTimeout());
        CoreModuleProperties.MAX_CONCURRENT_CHANNELS.set(server, CHANNELS_OF_A_SESSION);
        CoreModuleProperties.SOCKET_KEEPALIVE.set(server, true);
        CoreModuleProperties.TCP_NODELAY.set(server, true);
        CoreModuleProperties.STOP_WAIT_TIME.set(server, Duration.ofSeconds(2));
        // only for the group that sshd makes and that nothing uses
        CoreModuleProperties.NIO_WORKERS.set(server, 1);
    }
}
