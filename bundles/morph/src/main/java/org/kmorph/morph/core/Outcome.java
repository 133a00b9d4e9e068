// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

/** What a morph came to. */
public enum Outcome {
    /** It is under way. */
    NONE,
    /** The new kernel runs the workload. */
    COMMITTED,
    /** The old kernel runs it, or whatever has become of it there. */
    ROLLED_BACK,
    /** Neither: a person, or healing, must act. */
    FAILED
}
