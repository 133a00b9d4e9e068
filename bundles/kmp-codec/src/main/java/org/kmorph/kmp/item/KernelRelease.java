// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** What the kernel calls itself, as {@code uname -r}. */
public record KernelRelease(String release) implements Item {
    static KernelRelease read(PayloadReader in) throws MalformedPayloadException {
        String release = in.text(Limits.MAX_RELEASE_BYTES);
        return new KernelRelease(release);
    }

    @Override
    public int typeCode() {
        return 0x0001;
    }

    @Override
    public void write(PayloadWriter out) {
        out.text(release, Limits.MAX_RELEASE_BYTES);
    }
}
