// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import org.kmorph.kmp.wire.Coded;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * Bytes of a region or of physical memory that follow each other.
 *
 * @param offset in the region, or the physical address; its end fits into 63 bits
 * @param length in bytes, 1 to 2^32 - 1
 */
public record Extent(long offset, long length, Content content) {
    /** What stands for an extent: the flags on the wire. */
    public enum Content implements Coded {
        /** Its bytes are in the chunk's data. */
        BYTES(0),
        /** All zeros. */
        ZERO(1),
        /** It could not be read. */
        UNREADABLE(2);

        private final int code;

        Content(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }

    public Extent {
        if (offset < 0 || length < 1 || length > 0xffff_ffffL || offset > Long.MAX_VALUE - length) {
            throw new IllegalArgumentException("an extent of " + length + " bytes at " + offset
                    + "; 1 to 2^32 - 1 bytes that end below 2^63 are expected");
        }
    }

    static Extent read(PayloadReader in) throws MalformedPayloadException {
        long offset = in.u64();
        long length = in.u32();
        // bits that are not defined are ignored
        int flags = in.i32() & 3;
        if (flags == 3 || offset < 0 || length == 0 || offset > Long.MAX_VALUE - length) {
            throw in.malformed("an extent of " + length + " bytes at " + offset + " with flags " + flags);
        }
        Content content = flags == 0 ? Content.BYTES : flags == 1 ? Content.ZERO : Content.UNREADABLE;
        return new Extent(offset, length, content);
    }

    void write(PayloadWriter out) {
        out.u64(offset).u32(length).u32(content.code());
    }
}
