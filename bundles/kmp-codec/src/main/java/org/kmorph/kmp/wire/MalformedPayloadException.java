// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.wire;

/** A payload that is not as {@code docs/kmp.md} says. A request is answered with ERROR MALFORMED; the connection stays. */
public final class MalformedPayloadException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int offset;

    /**
     * @param offset where in the payload it was seen
     * @param why what was found and what was expected
     */
    public MalformedPayloadException(int offset, String why) {
        super("at offset " + offset + " of the payload: " + why);
        this.offset = offset;
    }

    /** Where in the payload it was seen: {@code value} of the ERROR. */
    public int offset() {
        return offset;
    }
}
