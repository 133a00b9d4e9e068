// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Unix stream sockets over which descriptors come (SCM_RIGHTS), which the JDK's channels cannot take. Thread-safe. */
public interface DescriptorSockets {
    /**
     * Connects.
     *
     * @param path at most 107 bytes in UTF-8
     * @param patience for connecting, and for each message sent or received after that
     * @throws ErrnoException when nobody listens (ENOENT, ECONNREFUSED), or not soon enough (EAGAIN)
     */
    DescriptorSocket connect(Path path, Duration patience) throws ErrnoException;

    /** One connection. Not thread-safe, except for {@link #close}. */
    interface DescriptorSocket extends AutoCloseable {
        /** Its number, for a {@link Poller}: it is readable once the other end has closed. */
        int fd();

        /** Sends all of it. */
        void send(byte[] bytes) throws ErrnoException;

        /**
         * What is there, waiting until there is something.
         *
         * @throws ErrnoException EAGAIN when nothing came in time, EMSGSIZE for more descriptors than expected; then none is kept
         */
        Message receive(int mostBytes, int mostDescriptors) throws ErrnoException;

        /** Closes it; what was received stays the receiver's. Idempotent. */
        @Override
        void close();
    }

    /**
     * @param bytes empty when the other end has closed
     * @param descriptors now the caller's to close; closed when this process runs another program
     */
    record Message(byte[] bytes, List<Integer> descriptors) {
        public Message {
            descriptors = List.copyOf(descriptors);
        }
    }
}
