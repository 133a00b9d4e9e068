// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

import java.time.Duration;

/** Datagrams to Unix sockets, which the JDK's channels cannot send. Thread-safe. */
public interface UnixDatagrams {
    /**
     * Sends one datagram from an unnamed socket.
     *
     * @param address a path of at most 107 bytes in UTF-8, or a name in the abstract name space written with a leading
     *     {@code @}, as systemd writes it
     * @param message the datagram
     * @param atMost how long to wait for room in the receiver's queue; rounded up to a microsecond
     * @throws ErrnoException when nobody listens there (ENOENT, ECONNREFUSED), it is not allowed (EACCES), or the receiver's
     *     queue stayed full (EAGAIN)
     * @throws IllegalArgumentException for an address that cannot be one
     */
    void send(String address, byte[] message, Duration atMost) throws ErrnoException;
}
