// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.stream;

/** What happens to a stream. */
public sealed interface Event {
    /** A frame of it has come. */
    record Frame(Op op, int flags, int length, int bufferAllocated, int forwarded) implements Event {}

    /** So many bytes wait to be sent, 1 or more. */
    record Waiting(int bytes) implements Event {}

    /** Its owner closes it. */
    record Close(String why) implements Event {}

    /** The time for connecting, or for the peer's part of closing, is over. */
    record Expired() implements Event {}

    /** There is no session with the peer any more, and nothing can be said to it. */
    record LinkDown(String why) implements Event {}
}
