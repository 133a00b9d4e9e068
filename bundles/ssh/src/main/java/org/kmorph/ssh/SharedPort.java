// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.AsynchronousServerSocketChannel;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.CompletionHandler;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.sshd.common.util.io.IoUtils;

/**
 * A listening socket with SO_REUSEPORT that loses nobody when it is closed: what was accepted at that moment is closed too. Sshd
 * would forget such a connection, and its client would wait for ever.
 */
final class SharedPort extends AsynchronousServerSocketChannel {
    private final AsynchronousServerSocketChannel socket;

    SharedPort(AsynchronousServerSocketChannel socket) throws IOException {
        super(socket.provider());
        this.socket = socket.setOption(StandardSocketOptions.SO_REUSEPORT, true);
    }

    /** Closed already; or it stays open until the handler has taken the connection. */
    private synchronized <A> void accepted(
            AsynchronousSocketChannel connection,
            A attachment,
            CompletionHandler<AsynchronousSocketChannel, ? super A> handler) {
        if (socket.isOpen()) {
            handler.completed(connection, attachment);
        } else {
            IoUtils.closeQuietly(connection);
        }
    }

    @Override
    public <A> void accept(A attachment, CompletionHandler<AsynchronousSocketChannel, ? super A> handler) {
        socket.accept(attachment, new CompletionHandler<AsynchronousSocketChannel, A>() {
            @Override
            public void completed(AsynchronousSocketChannel connection, A with) {
                accepted(connection, with, handler);
            }

            @Override
            public void failed(Throwable cause, A with) {
                handler.failed(cause, with);
            }
        });
    }

    @Override
    public Future<AsynchronousSocketChannel> accept() {
        return socket.accept();
    }

    @Override
    public AsynchronousServerSocketChannel bind(SocketAddress local, int backlog) throws IOException {
        socket.bind(local, backlog);
        return this;
    }

    @Override
    public <T> AsynchronousServerSocketChannel setOption(SocketOption<T> name, T value) throws IOException {
        socket.setOption(name, value);
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        return socket.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return socket.supportedOptions();
    }

    @Override
    public SocketAddress getLocalAddress() throws IOException {
        return socket.getLocalAddress();
    }

    @Override
    public boolean isOpen() {
        return socket.isOpen();
    }

    @Override
    public synchronized void close() throws IOException {
        socket.close();
    }
}
