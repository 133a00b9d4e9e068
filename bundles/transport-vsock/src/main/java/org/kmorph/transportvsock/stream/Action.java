// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.stream;

/** What is to be done, in this order, about an event. */
public sealed interface Action {
    /**
     * Send a frame.
     *
     * @param bytes of the payload, from those that wait
     * @param forwarded the counter that goes with it
     */
    record Send(Op op, int flags, int bytes, int forwarded) implements Action {}

    /** Tell the owner that it is open. */
    record Opened() implements Action {}

    /** Give the owner the payload of the frame. */
    record Deliver() implements Action {}

    /** Tell the owner that it is closed. Comes once. */
    record Closed(String why) implements Action {}

    /** Forget it: its ports are free. Comes once, last. */
    record Forget() implements Action {}
}
