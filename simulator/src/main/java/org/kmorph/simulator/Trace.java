// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.zip.CRC32C;

/** What happened in a world, as lines for people; and a fingerprint of it, by which a replay is compared. */
final class Trace {
    private final Consumer<String> lines;
    private final boolean wanted;
    private final CRC32C fingerprint = new CRC32C();
    private LongSupplier nanos = () -> 0;

    /** @param wanted whether there is somebody who reads the lines: else none is written */
    Trace(boolean wanted, Consumer<String> lines) {
        this.wanted = wanted;
        this.lines = lines;
    }

    void clock(LongSupplier now) {
        nanos = now;
    }

    boolean wanted() {
        return wanted;
    }

    void say(String who, String what) {
        if (!wanted) {
            return;
        }
        long micros = nanos.getAsLong() / 1_000;
        String line =
                String.format(Locale.ROOT, "%5d.%06d  %-10s %s", micros / 1_000_000, micros % 1_000_000, who, what);
        byte[] bytes = line.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        fingerprint.update(bytes, 0, bytes.length);
        lines.accept(line);
    }

    long fingerprint() {
        return fingerprint.getValue();
    }
}
