// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * One thing that a target tried before the freeze.
 *
 * @param verdict YES passed, NO failed
 * @param text the check's name, a colon, a space, what was found
 */
public record Check(Verdict verdict, long durationMicros, String text) implements Item {
    static Check read(PayloadReader in) throws MalformedPayloadException {
        Verdict verdict = in.coded8(Verdict.values());
        if (verdict == Verdict.NONE) {
            throw in.malformed("a check without a verdict");
        }
        in.reserved(3);
        return new Check(verdict, in.u32(), in.text(Limits.MAX_TEXT_BYTES));
    }

    @Override
    public int typeCode() {
        return 0x0014;
    }

    @Override
    public void write(PayloadWriter out) {
        out.coded8(verdict).reserved(3).u32(durationMicros).text(text, Limits.MAX_TEXT_BYTES);
    }
}
