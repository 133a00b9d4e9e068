// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.recovery;

/** Where the recovery of an instance is. */
public enum RecoveryState {
    /** Nothing is wrong with it. */
    MONITORING,
    /** It is silent or troubled, and not confirmed to have failed; or it has, and nobody wants it healed. */
    DETECTING_FAILURE,
    /** It has failed. The surviving kernels are told that it is about to be fenced. */
    PREPARING_RECOVERY,
    /** It is made certain that it runs no more. */
    FENCING,
    /** Its memory is saved. */
    CAPTURING_VMCORE,
    /** What it had is given back, and the surviving kernels are told. */
    RECLAIMING_RESOURCES,
    /** Its work is brought back. */
    RESTORING_WORK,
    /** Done. */
    RECOVERY_COMPLETE,
    /** Given up, with a reason: a person has to look. */
    FAILED;

    /** Whether nothing more comes of this recovery. */
    public boolean over() {
        return this == RECOVERY_COMPLETE || this == FAILED;
    }
}
