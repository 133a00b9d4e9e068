// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.AsynchronousChannelGroup;
import java.nio.channels.AsynchronousServerSocketChannel;
import java.util.concurrent.ExecutorService;
import org.apache.sshd.common.FactoryManager;
import org.apache.sshd.common.io.IoAcceptor;
import org.apache.sshd.common.io.IoHandler;
import org.apache.sshd.common.io.nio2.Nio2Acceptor;
import org.apache.sshd.common.io.nio2.Nio2ServiceFactory;
import org.apache.sshd.common.util.io.IoUtils;
import org.apache.sshd.common.util.threads.ThreadUtils;
import org.kmorph.api.daemon.DaemonThreads;

/**
 * Listens with SO_REUSEPORT, so that two versions of this bundle can have the port at once while one takes over from the other:
 * it is never closed in between (socket(7)). sshd has no setting for that.
 */
final class SharedPortServices extends Nio2ServiceFactory {
    private final FactoryManager manager;
    private final AsynchronousChannelGroup group;
    private final ExecutorService resuming = ThreadUtils.newCachedThreadPool("kmorph-ssh-resume");

    SharedPortServices(FactoryManager manager) throws IOException {
        super(manager, null, null);
        this.manager = manager;
        // the group of the superclass is out of reach
        group = AsynchronousChannelGroup.withFixedThreadPool(2, new DaemonThreads("kmorph-ssh-io"));
    }

    @Override
    public IoAcceptor createAcceptor(IoHandler handler) {
        return autowireCreatedService(new SharedPortAcceptor(this, manager, handler, group, resuming));
    }

    private static final class SharedPortAcceptor extends Nio2Acceptor {
        SharedPortAcceptor(
                Nio2ServiceFactory services,
                FactoryManager manager,
                IoHandler handler,
                AsynchronousChannelGroup group,
                ExecutorService resuming) {
            super(services, manager, handler, group, resuming);
        }

        @Override
        protected AsynchronousServerSocketChannel openAsynchronousServerSocketChannel(
                SocketAddress address, AsynchronousChannelGroup in) throws IOException {
            return new SharedPort(super.openAsynchronousServerSocketChannel(address, in));
        }

        @Override
        public void unbind() {
            // before sshd forgets the sockets: see SharedPort
            channels.values().forEach(IoUtils::closeQuietly);
            super.unbind();
        }
    }

    @Override
    protected void doCloseImmediately() {
        resuming.shutdownNow();
        try {
            group.shutdownNow();
        } catch (IOException e) {
            log.debug("the channels of the SSH door did not close cleanly", e);
        }
        super.doCloseImmediately();
    }
}
