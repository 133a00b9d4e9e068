// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.service;

import java.util.Locale;

/** Who reads a memory. */
public enum By {
    /** The daemon itself, straight from the file. */
    DAEMON,
    /** The instances that survive and can read it, each a part. */
    SURVIVORS;

    /** As it is written in the configuration and on the command line. */
    public static By of(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }
}
