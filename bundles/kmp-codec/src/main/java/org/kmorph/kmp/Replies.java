// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.util.List;
import java.util.Optional;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Text;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.RetryAnswer;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;

/** What a frame that cannot be served is answered with. Each is sent with the sequence of that frame. */
public final class Replies {
    private Replies() {}

    /**
     * What a fault is answered with before the connection is closed.
     *
     * @return empty where it is closed at once
     */
    public static Optional<ErrorAnswer> to(FrameFault fault, FrameView header) {
        return switch (fault) {
            case WRONG_MAGIC, WRONG_CRC -> Optional.empty();
            case UNSUPPORTED_VERSION -> Optional.of(unsupportedVersion(header));
            case TOO_LARGE -> Optional.of(tooLarge(header));
        };
    }

    public static ErrorAnswer unsupportedVersion(FrameView header) {
        String text = "version " + header.version() + " is not spoken here, version " + FrameView.VERSION + " is";
        return error(ErrorCode.UNSUPPORTED_VERSION, header, header.version(), text);
    }

    public static ErrorAnswer tooLarge(FrameView header) {
        int max = maxPayloadBytes(header);
        String text = "a payload of " + header.payloadLength() + " bytes; at most " + max + " are allowed";
        return error(ErrorCode.TOO_LARGE, header, max, text);
    }

    public static ErrorAnswer unsupportedType(FrameView header) {
        String text = String.format("msg_type 0x%04x is not known here", header.typeCode());
        return error(ErrorCode.UNSUPPORTED_TYPE, header, header.typeCode(), text);
    }

    /** To a request whose payload is malformed. What is malformed and no request is not answered. */
    public static ErrorAnswer malformed(FrameView frame, MalformedPayloadException why) {
        return error(ErrorCode.MALFORMED, frame, why.offset(), why.getMessage());
    }

    /**
     * An error about a request.
     *
     * @param code see {@link ErrorCode}
     * @param value as the code says; else 0
     * @param text cut where it is longer than allowed; empty for none
     */
    public static ErrorAnswer error(int code, FrameView request, long value, String text) {
        int type = request.typeCode();
        return new ErrorAnswer(code, type, FrameView.VERSION, FrameView.VERSION, value, texts(text));
    }

    /** The request is not carried out now and may be later. */
    public static RetryAnswer retry(int code, FrameView request, long delayMillis, String text) {
        return new RetryAnswer(delayMillis, request.typeCode(), code, texts(text));
    }

    static int maxPayloadBytes(FrameView header) {
        Optional<MessageType> type = header.type();
        return type.isPresent() ? type.get().maxPayloadBytes() : Limits.MAX_PAYLOAD_BYTES;
    }

    private static List<Item> texts(String text) {
        if (text.isEmpty()) {
            return List.of();
        }
        StringBuilder cut = new StringBuilder();
        int bytes = 0;
        for (int point : text.replace('\0', ' ').codePoints().toArray()) {
            bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
            if (bytes > Limits.MAX_SMALL_TEXT_BYTES) {
                break;
            }
            cut.appendCodePoint(point);
        }
        return List.of(new Text(cut.toString()));
    }
}
