// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.nio.file.Path;

/** Programs that were built before the tests run. */
public final class Programs {
    private Programs() {}

    /** kmorph-capture. */
    public static Path capture() {
        return Path.of("../../capture/target/kmorph-capture").toAbsolutePath().normalize();
    }
}
