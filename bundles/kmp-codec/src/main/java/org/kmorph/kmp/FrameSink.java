// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

/** Takes what a {@link FrameDecoder} finds. What it is given belongs to the decoder again on return. */
public interface FrameSink {
    /** A whole frame of a known type and with a true checksum; its payload has not been looked at. */
    void frame(FrameView frame);

    /**
     * A whole frame of an unknown type, not an answer, with a true checksum; its payload has been skipped. It is to be answered
     * with {@link Replies#unsupportedType}.
     *
     * @param header only the header's fields may be used
     */
    void unknownType(FrameView header);

    /**
     * The stream cannot be read any further: answer where the fault says so, and close. Nothing comes after it.
     *
     * @param header only the header's fields may be used; as far as the fault leaves them trusted
     */
    void fault(FrameFault fault, FrameView header);
}
