// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.io.IOException;
import java.nio.file.Path;

/** What each instance keeps its files in. Each call may be made again. Thread-safe. */
public interface InstanceDirectories {
    /** Where an instance's directory is, whether it is there or not. */
    Path of(int id);

    /** Makes it, for nobody else to read. */
    void make(int id) throws IOException;

    /** Removes it with all that is in it. */
    void remove(int id) throws IOException;
}
