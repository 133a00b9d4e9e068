// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.instance;

/** Something could not be done with an instance. The message names it, what was expected and what to do. */
public final class InstanceException extends Exception {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    public InstanceException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public InstanceException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** What sort of failure it is, for exit codes. */
    public enum Reason {
        NO_SUCH_INSTANCE,
        /** The name, the state, or an option does not allow it. */
        REFUSED,
        /** Something that it needs is not there at the moment: a host that is being replaced, room for a record. */
        NOT_NOW,
        /** It was tried and failed. */
        FAILED,
        TIMED_OUT
    }
}
