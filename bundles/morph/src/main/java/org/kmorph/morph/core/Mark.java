// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

/** What the journal says of a morph: written before what cannot be taken back. */
public enum Mark {
    /** Begun; nothing that could not be undone. */
    BEGUN,
    /** Validated, waits for a commit. */
    PREPARED,
    /** RELEASE may have been sent. */
    RELEASING,
    /** The source has answered so, or died frozen: from now on the target's. */
    RELEASED,
    /** Nobody can say whether the target, or a successor of it, runs the workload: it has the name, for healing. */
    LOST,
    /** The target runs the workload. */
    COMMITTED,
    /** GIVE_BACK may have been sent: the target's as long as it does not say that it has given the workload back. */
    RETURNING,
    /** The target has said so: from now on the source's again. */
    RETURNED
}
