// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

/** Where the source says that it stands. */
public enum SourceState {
    /** It does not know the operation: its agent is another process than it was. */
    UNKNOWN,
    /** Runs the workload, in the morph. */
    RUNNING,
    FROZEN,
    /** Froze and runs on. */
    RESUMED,
    RELEASED
}
