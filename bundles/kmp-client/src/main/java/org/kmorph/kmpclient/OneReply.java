// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.kmorph.kmp.FrameEncoder;
import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.Replies;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;

/** The reply to one request. It keeps what it needs of the request's frame, which is gone when the listener has returned. */
final class OneReply implements Reply {
    private final Session session;
    private final Link link;
    private final int sequence;
    private final int typeCode;
    private final AtomicBoolean used = new AtomicBoolean();

    OneReply(Session session, Link link, int sequence, int typeCode) {
        this.session = session;
        this.link = link;
        this.sequence = sequence;
        this.typeCode = typeCode;
    }

    @Override
    public void answer(Message answer) {
        if (answer.type().code() != (typeCode | MessageType.ANSWER)) {
            throw new IllegalArgumentException(
                    answer.type() + String.format(" is no answer to msg_type 0x%04x", typeCode));
        }
        send(answer);
    }

    @Override
    public void error(int code, long value, String text) {
        send(Replies.error(code, request(), value, text));
    }

    @Override
    public void retry(int code, long delayMillis, String text) {
        send(Replies.retry(code, request(), delayMillis, text));
    }

    private void send(Message answer) {
        if (used.compareAndSet(false, true)) {
            session.answer(link, sequence, answer);
        }
    }

    /** A header that says of the request what replies look at. */
    private FrameView request() {
        MessageType type = MessageType.of(typeCode).orElseThrow();
        ByteBuffer header = ByteBuffer.allocate(FrameView.HEADER_LENGTH);
        new FrameEncoder().finish(header, 0, type, sequence, 0, 0);
        return new FrameView().wrap(header, 0);
    }
}
