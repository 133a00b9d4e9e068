// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.morph;

/** A morph could not be done. The message names the instance, what was found, and what state it is left in. */
public final class MorphException extends Exception {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    public MorphException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public MorphException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** What sort of failure it is, for exit codes. */
    public enum Reason {
        NO_SUCH_INSTANCE,
        /** Its state, its workload or an option does not allow it; nothing was begun. */
        REFUSED,
        /** It was begun and undone: the old kernel runs the workload. */
        ROLLED_BACK,
        /** It could neither be finished nor undone; the message says what a person has to look at. */
        FAILED,
        TIMED_OUT
    }
}
