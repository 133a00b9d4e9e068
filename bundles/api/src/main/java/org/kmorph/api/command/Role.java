// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

/** What a caller may do; each role may do all that the ones before it may. */
public enum Role {
    /** Reads: lists, states, logs. Changes nothing. */
    VIEWER,
    /** Runs instances: spawns, terminates, heals, morphs. */
    OPERATOR,
    /** Runs the daemon itself: configuration, bundles, the raw shell language. */
    ADMIN;

    /** Whether a caller of this role may do what asks for {@code needed}. */
    public boolean mayActAs(Role needed) {
        return compareTo(needed) >= 0;
    }
}
