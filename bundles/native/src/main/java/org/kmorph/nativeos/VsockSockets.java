// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Stream sockets of AF_VSOCK (vsock(7)), which the JDK does not know. They never block; a {@link Poller} tells when to go on. Context
 * ids and ports are 0 to 4,294,967,295. Thread-safe.
 */
public interface VsockSockets {
    /** The context id and port that mean any. */
    long ANY = 0xFFFF_FFFFL;

    /** The context id of this kernel itself. */
    long LOCAL_CID = 1;

    /** The context id of the host of all instances. */
    long HOST_CID = 2;

    /** A new socket. @throws ErrnoException EAFNOSUPPORT where the kernel has no AF_VSOCK */
    int open() throws ErrnoException;

    /**
     * Begins to connect.
     *
     * @return whether it is connected; if not, {@link #finishConnect} says so once it is writable
     * @throws ErrnoException ENODEV when no transport reaches that context id
     */
    boolean connect(int fd, long cid, long port) throws ErrnoException;

    /** Whether it became connected. @throws ErrnoException how it failed: ECONNRESET when nobody listens, ETIMEDOUT */
    void finishConnect(int fd) throws ErrnoException;

    /**
     * Tells what became of a connection that reads as ended: one that was reset may read so too, for the kernel keeps the error apart.
     *
     * @throws ErrnoException the error, which is then forgotten: ECONNRESET
     */
    void checkError(int fd) throws ErrnoException;

    /** Binds to an own context id or {@link #ANY}, and a port or {@link #ANY}. */
    void bind(int fd, long cid, long port) throws ErrnoException;

    void listen(int fd, int backlog) throws ErrnoException;

    /** Where a socket is bound. */
    Address address(int fd) throws ErrnoException;

    /** The next connection of a listening socket; empty when none waits. */
    Optional<Accepted> accept(int fd) throws ErrnoException;

    /**
     * Reads into direct buffers, one after the other.
     *
     * @return how many bytes, 0 when none are there now, -1 when the other end sends no more
     */
    long read(int fd, List<ByteBuffer> buffers) throws ErrnoException;

    /**
     * Writes what there is room for, from direct buffers, one after the other.
     *
     * @return how many bytes; 0 when there is no room now
     */
    long write(int fd, List<ByteBuffer> buffers) throws ErrnoException;

    /** This kernel's context id: {@link #HOST_CID} on a host, empty where it has no transport of either kind. */
    OptionalLong localCid() throws ErrnoException;

    /** One end of a connection. */
    record Address(long cid, long port) {}

    /** @param peer the other end */
    record Accepted(int fd, Address peer) {}
}
