// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

import java.nio.ByteBuffer;

/**
 * File descriptors that came from another process, by their numbers. Whoever holds a number closes it, once: a number that was closed
 * may be another's already. Thread-safe.
 */
public interface Descriptors {
    /** Closes it. An error of closing changes nothing for the caller. */
    void close(int fd);

    /** A new event counter (eventfd), not blocking. */
    int newCounter() throws ErrnoException;

    /** Adds one to an event counter. A counter that is full is signalled as it is. */
    void signal(int counter) throws ErrnoException;

    /** Sets an event counter back to zero. Never blocks, also where the other holder has made the descriptor a blocking one. */
    void drain(int counter) throws ErrnoException;

    /**
     * Maps all of a file, shared, for reading and writing.
     *
     * @param mostBytes a larger file is refused
     * @throws ErrnoException when it is empty (EINVAL), too large (EFBIG), or cannot be mapped
     */
    Mapping map(int fd, long mostBytes) throws ErrnoException;

    /**
     * Memory that is mapped. Its buffer must not be touched after {@link #close}: the process would die of it. So one thread uses
     * it and closes it.
     */
    interface Mapping extends AutoCloseable {
        /** All of it; direct, beginning on a page. */
        ByteBuffer memory();

        /** Gives the addresses back. Idempotent. */
        @Override
        void close();
    }
}
