// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.morph;

/**
 * A step of a commit, between the request to freeze and the new kernel's answer that it runs the workload.
 *
 * @param by who took it: the old kernel, the new one, or the daemon
 * @param name what it was
 * @param micros how long it took, in microseconds
 */
public record MorphStep(By by, String name, long micros) {
    /** Whose clock measured it. */
    public enum By {
        OLD,
        NEW,
        DAEMON
    }
}
