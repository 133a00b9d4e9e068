// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.health;

/** How well an instance is, in the judgement of its policy. */
public enum Health {
    /** Not heard of yet, or not watched. */
    UNKNOWN,
    HEALTHY,
    /** Silent or troubled, not yet for so long that it has failed. */
    SUSPECT,
    /** Its agent does not answer, its kernel does. */
    AGENT_DEAD,
    /** Confirmed: neither its agent nor its kernel answers, or its host has seen it end. */
    FAILED
}
