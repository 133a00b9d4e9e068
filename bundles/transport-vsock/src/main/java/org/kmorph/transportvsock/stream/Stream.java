// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.stream;

import java.util.ArrayList;
import java.util.List;
import org.kmorph.transportvsock.stream.Action.Closed;
import org.kmorph.transportvsock.stream.Action.Deliver;
import org.kmorph.transportvsock.stream.Action.Forget;
import org.kmorph.transportvsock.stream.Action.Opened;
import org.kmorph.transportvsock.stream.Action.Send;
import org.kmorph.transportvsock.stream.Event.Close;
import org.kmorph.transportvsock.stream.Event.Expired;
import org.kmorph.transportvsock.stream.Event.Frame;
import org.kmorph.transportvsock.stream.Event.LinkDown;
import org.kmorph.transportvsock.stream.Event.Waiting;

/**
 * One vsock stream: a pure state machine after the virtio 1.2 specification, sections 5.10.6.3 to 5.10.6.6. Its owner takes what comes
 * at once, so that all it has to say of its own buffer is how much came. Counters wrap at 2^32.
 *
 * @param phase where it is in its life
 * @param peerBuffer what the peer's buffer takes, in bytes, unsigned
 * @param peerForwarded what the peer has taken out of its buffer since the beginning
 * @param sent bytes of payload since the beginning
 * @param received bytes of payload since the beginning
 * @param told {@code received}, as the peer knows it
 * @param asked whether the peer was asked for credit and has not given any since
 */
public record Stream(Phase phase, int peerBuffer, int peerForwarded, int sent, int received, int told, boolean asked) {
    /** What a peer may send before it hears of its credit again. */
    public static final int BUFFER = 256 << 10;

    /** No frame carries more. */
    public static final int MOST_PAYLOAD = 64 << 10;

    /** The peer hears of its credit when this much of it is used; a quarter keeps it sending. */
    private static final int TELL = BUFFER / 4;

    /** Where a stream is in its life. */
    public enum Phase {
        CONNECTING,
        OPEN,
        /** Closed for its owner; the peer has not said that it has closed too. */
        CLOSING,
        GONE
    }

    /** The next state, and what is to be done. */
    public record Step(Stream next, List<Action> actions) {
        public Step {
            actions = List.copyOf(actions);
        }
    }

    /** A stream that this side opens. */
    public static Step connect() {
        return new Stream(Phase.CONNECTING, 0, 0, 0, 0, 0, false).with(send(Op.REQUEST));
    }

    /** A stream that the peer opens, at a port where somebody listens. */
    public static Step accept(Frame request) {
        return new Stream(Phase.OPEN, request.bufferAllocated(), request.forwarded(), 0, 0, 0, false)
                .with(send(Op.RESPONSE), new Opened());
    }

    /** How many bytes may be sent now; 0 as well from a peer whose figures cannot be. */
    public int credit() {
        long inFlight = Integer.toUnsignedLong(sent - peerForwarded);
        long credit = Integer.toUnsignedLong(peerBuffer) - inFlight;
        return (int) Math.max(0, Math.min(credit, Integer.MAX_VALUE));
    }

    /** What becomes of it by an event, and what is to be done. */
    public Step on(Event event) {
        return switch (phase) {
            case CONNECTING -> connecting(event);
            case OPEN -> open(event);
            case CLOSING -> closing(event);
            case GONE -> with();
        };
    }

    private Step connecting(Event event) {
        if (event instanceof Frame frame) {
            return switch (frame.op()) {
                case RESPONSE -> figures(frame).in(Phase.OPEN).with(new Opened());
                case RST -> gone("nobody listens there");
                default -> breach("an answer to a connection was expected, not " + frame.op());
            };
        }
        if (event instanceof Expired) {
            return reset("it has not answered");
        }
        if (event instanceof Close close) {
            return reset(close.why());
        }
        return event instanceof LinkDown down ? gone(down.why()) : with();
    }

    private Step open(Event event) {
        if (event instanceof Frame frame) {
            return figures(frame).frame(frame);
        }
        if (event instanceof Waiting waiting) {
            return waiting(waiting.bytes());
        }
        if (event instanceof Close close) {
            return close(close.why());
        }
        return event instanceof LinkDown down ? gone(down.why()) : with();
    }

    private Step frame(Frame frame) {
        return switch (frame.op()) {
            case RW -> data(frame.length());
            case CREDIT_UPDATE -> with();
            case CREDIT_REQUEST -> with(send(Op.CREDIT_UPDATE));
            case SHUTDOWN -> shutdown(frame.flags());
            case RST -> gone("the peer has reset the connection");
            case REQUEST, RESPONSE -> breach(frame.op() + " came for a connection that is open");
        };
    }

    private Step data(int length) {
        if (length < 0 || length > BUFFER - (received - told)) {
            return breach("the peer has sent more than its credit allows");
        }
        Stream next = new Stream(phase, peerBuffer, peerForwarded, sent, received + length, told, asked);
        return next.received - next.told >= TELL
                ? next.with(new Deliver(), send(Op.CREDIT_UPDATE))
                : next.with(new Deliver());
    }

    private Step shutdown(int flags) {
        if ((flags & Op.SHUTDOWN_BOTH) == Op.SHUTDOWN_BOTH) {
            return reset("the peer has closed the connection");
        }
        // Half a connection is of no use to its owner: the rest is closed with it.
        return (flags & Op.SHUTDOWN_BOTH) == 0 ? with() : close("the peer has closed the connection");
    }

    private Step waiting(int bytes) {
        int now = Math.min(Math.min(bytes, MOST_PAYLOAD), credit());
        if (now > 0) {
            return new Stream(phase, peerBuffer, peerForwarded, sent + now, received, told, asked)
                    .with(new Send(Op.RW, 0, now, 0));
        }
        return asked
                ? with()
                : new Stream(phase, peerBuffer, peerForwarded, sent, received, told, true)
                        .with(send(Op.CREDIT_REQUEST));
    }

    private Step closing(Event event) {
        if (event instanceof Frame frame) {
            return switch (frame.op()) {
                case RST -> forget();
                case SHUTDOWN ->
                    (frame.flags() & Op.SHUTDOWN_BOTH) == Op.SHUTDOWN_BOTH
                            ? in(Phase.GONE).with(send(Op.RST), new Forget())
                            : with();
                default -> with();
            };
        }
        if (event instanceof Expired) {
            return in(Phase.GONE).with(send(Op.RST), new Forget());
        }
        return event instanceof LinkDown ? forget() : with();
    }

    private Step close(String why) {
        return in(Phase.CLOSING).with(new Send(Op.SHUTDOWN, Op.SHUTDOWN_BOTH, 0, 0), new Closed(why));
    }

    private Step reset(String why) {
        return in(Phase.GONE).with(send(Op.RST), new Closed(why), new Forget());
    }

    private Step breach(String what) {
        return reset("the peer has broken the protocol: " + what);
    }

    private Step gone(String why) {
        return in(Phase.GONE).with(new Closed(why), new Forget());
    }

    private Step forget() {
        return in(Phase.GONE).with(new Forget());
    }

    private Stream in(Phase next) {
        return new Stream(next, peerBuffer, peerForwarded, sent, received, told, asked);
    }

    /** Every frame tells the peer's buffer and how much was taken out of it. */
    private Stream figures(Frame frame) {
        Stream next = new Stream(phase, frame.bufferAllocated(), frame.forwarded(), sent, received, told, asked);
        return next.credit() > 0
                ? new Stream(phase, next.peerBuffer, next.peerForwarded, sent, received, told, false)
                : next;
    }

    private static Send send(Op op) {
        return new Send(op, 0, 0, 0);
    }

    /** Every frame sent tells how much has come. */
    private Step with(Action... actions) {
        List<Action> done = new ArrayList<>(actions.length);
        int nowTold = told;
        for (Action action : actions) {
            if (action instanceof Send send) {
                done.add(new Send(send.op(), send.flags(), send.bytes(), received));
                nowTold = received;
            } else {
                done.add(action);
            }
        }
        return new Step(new Stream(phase, peerBuffer, peerForwarded, sent, received, nowTold, asked), done);
    }
}
