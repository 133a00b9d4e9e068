// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.util.Optional;

/** The kinds of frames of docs/control-protocol.md, by the number that stands in their first byte. */
enum FrameType {
    START(0x01),
    STDIN(0x02),
    STDIN_END(0x03),
    RESIZE(0x04),
    CANCEL(0x05),
    HELLO(0x81),
    STDOUT(0x82),
    STDERR(0x83),
    MODE(0x84),
    CREDIT(0x85),
    EXIT(0x86),
    ERROR(0x87),
    AGAIN(0x88);

    private final int code;

    FrameType(int code) {
        this.code = code;
    }

    byte code() {
        return (byte) code;
    }

    /** The type that a client may send under this number; empty when there is none. */
    static Optional<FrameType> fromClient(byte code) {
        return switch (code) {
            case 0x01 -> Optional.of(START);
            case 0x02 -> Optional.of(STDIN);
            case 0x03 -> Optional.of(STDIN_END);
            case 0x04 -> Optional.of(RESIZE);
            case 0x05 -> Optional.of(CANCEL);
            default -> Optional.empty();
        };
    }
}
