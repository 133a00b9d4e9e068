// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.util.Locale;

/** How pages are packed in a kdump file, and the flag that says so in it. */
public enum Compression {
    NONE(0),
    ZLIB(1),
    LZO(2),
    ZSTD(0x20);

    private final int flag;

    Compression(int flag) {
        this.flag = flag;
    }

    int flag() {
        return flag;
    }

    /** As kmorph-capture calls it. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
