// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;

/** What a format has around the pages, and where it has these. */
interface DumpWriter {
    /** How much memory it writes, pages of zeros among it. */
    long memoryBytes();

    /** Has all of it written. */
    void write(Dictation to) throws IOException;
}
