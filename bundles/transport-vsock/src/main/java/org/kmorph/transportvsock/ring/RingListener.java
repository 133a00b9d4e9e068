// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.ring;

import java.nio.ByteBuffer;
import org.kmorph.transportvsock.stream.Header;

/** What a side of a link tells. */
public interface RingListener {
    /** There is a session: frames can go both ways. */
    void up();

    /** There is none any more: every connection of it is over. */
    void down(String why);

    /** A frame has come; the payload is the ring's again on return. */
    void frame(Header header, ByteBuffer payload);

    /** The other has answered the {@link RingSide#ping} of this number. */
    void pong(int number);

    /** Something is to be said to people, once. */
    void remark(String text);
}
