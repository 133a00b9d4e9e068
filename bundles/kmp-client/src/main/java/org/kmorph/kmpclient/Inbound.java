// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.HeartbeatAnswerFlyweight;
import org.kmorph.kmp.Replies;
import org.kmorph.kmp.message.AgentState;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.HealthStatus;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.WorkloadState;
import org.kmorph.kmp.wire.MalformedPayloadException;

/** Sorts the frames that come from an agent: docs/kmp.md, Reading a frame. On the transport's event loop. */
final class Inbound {
    /** What a peer is asked to wait that has too many requests unanswered. */
    private static final long BUSY_MILLIS = 100;

    private final Session session;
    private final SessionListener listener;
    private final long instanceId;

    Inbound(Session session, SessionListener listener, long instanceId) {
        this.session = session;
        this.listener = listener;
        this.instanceId = instanceId;
    }

    /** A whole frame of a known type, with a true checksum. */
    void frame(Link from, FrameView frame, Link.Receipt receipt) {
        MessageType type = frame.type().orElseThrow();
        if (type.isAnswer()) {
            if (!HeartbeatRing.isHeartbeat(frame.sequence())) {
                session.answered(from, frame, type);
            } else if (type == MessageType.HEARTBEAT_RSP) {
                heartbeatAnswered(from, frame, receipt);
            } else {
                heartbeatRefused(from, frame);
            }
        } else if (type == MessageType.HEALTH_STATUS) {
            healthStatus(from, frame);
        } else {
            asked(from, frame, type);
        }
    }

    private void heartbeatAnswered(Link from, FrameView frame, Link.Receipt receipt) {
        receipt.sentNanos = session.heartbeatSent(from, frame.sequence());
        if (receipt.sentNanos == HeartbeatRing.UNKNOWN || frame.payloadLength() < HeartbeatAnswerFlyweight.LENGTH) {
            return;
        }
        HeartbeatAnswerFlyweight figures = receipt.figures();
        if (figures.instanceId() != instanceId) {
            session.drop(from, liar(figures.instanceId()));
        } else if (figures.agentState() >= AgentState.STARTING.code()
                && figures.agentState() <= AgentState.STOPPING.code()
                && figures.workloadState() <= WorkloadState.STOPPED.code()) {
            listener.heartbeat(receipt);
        }
    }

    /** An agent that refuses heartbeats is not heard by them; what it says to that is worth more than its silence. */
    private void heartbeatRefused(Link from, FrameView frame) {
        try {
            if (session.heartbeatSent(from, frame.sequence()) != HeartbeatRing.UNKNOWN
                    && frame.message() instanceof ErrorAnswer error) {
                session.drop(from, "heartbeats are refused: " + Errors.text(error));
            }
        } catch (MalformedPayloadException e) {
            // an unanswered heartbeat, as any other
        }
    }

    private void healthStatus(Link from, FrameView frame) {
        try {
            HealthStatus status = (HealthStatus) frame.message();
            if (status.instanceId() == instanceId) {
                listener.healthStatus(status);
            } else {
                session.drop(from, liar(status.instanceId()));
            }
        } catch (MalformedPayloadException e) {
            // is ignored, as docs/kmp.md says
        }
    }

    private String liar(long says) {
        return "the agent says that it is instance " + says + "; instance " + instanceId + " is expected at "
                + session.peer();
    }

    private void asked(Link from, FrameView frame, MessageType type) {
        switch (type) {
            case MORPH_TRANSFER_STATE, VMCORE_DATA, VMCORE_COMPLETE -> asked(from, frame);
            default ->
                session.reply(
                        from,
                        frame.sequence(),
                        Replies.error(ErrorCode.NOT_SUPPORTED, frame, 0, type + " is nothing that the daemon answers"));
        }
    }

    private void asked(Link from, FrameView frame) {
        Message request;
        try {
            request = frame.message();
        } catch (MalformedPayloadException e) {
            session.reply(from, frame.sequence(), Replies.malformed(frame, e));
            return;
        }
        if (session.takes(from)) {
            listener.request(request, new OneReply(session, from, frame.sequence(), frame.typeCode()));
        } else {
            String text = KmpSession.MAX_REQUESTS + " requests are unanswered";
            session.reply(from, frame.sequence(), Replies.retry(ErrorCode.BUSY, frame, BUSY_MILLIS, text));
        }
    }
}
