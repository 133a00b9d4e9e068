// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.morph;

/** Where a morph is. */
public enum MorphPhase {
    /** There is none, or it is over. */
    RUNNING,
    /** The successor's kernel is made, both agents are told. */
    MORPH_PREPARING,
    /** What the old kernel has, and whether the new one can take it. */
    MORPH_NEGOTIATING,
    /** State moves while the workload runs; a prepared morph stays here and keeps it fresh. */
    MORPH_TRANSFERRING,
    /** The new kernel tries all that can be tried. */
    MORPH_VALIDATING,
    /** Frozen, moved, released, activated. */
    COMMITTING,
    /** What was begun is undone. */
    ROLLING_BACK
}
