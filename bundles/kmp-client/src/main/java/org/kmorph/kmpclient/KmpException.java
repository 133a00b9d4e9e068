// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.io.IOException;
import java.util.Optional;
import org.kmorph.kmp.message.ErrorAnswer;

/** A request has failed. The message names the agent, the request and why. */
public final class KmpException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Why it has failed. */
    public enum Reason {
        /** The agent answered KMP_ERROR: {@link #error} says which. */
        REFUSED,
        /** The agent answered KMP_RETRY to a request that is sent once, or after the last repetition. */
        RETRY,
        /** No answer within the deadline. Whether the agent carried it out is not known. */
        TIMED_OUT,
        /** No connection, or it broke. Whether the agent carried it out is not known. */
        LOST,
        /** The answer is none to this request: malformed, of another operation. */
        WRONG_ANSWER,
        /** {@value KmpSession#MAX_REQUESTS} requests wait already. Nothing was sent. */
        TOO_MANY,
        /** The session is closed. */
        CLOSED
    }

    private final Reason reason;

    private final transient Optional<ErrorAnswer> error;

    private final long retryMillis;

    KmpException(Reason reason, String message) {
        this(reason, message, Optional.empty(), 0);
    }

    KmpException(Reason reason, String message, Optional<ErrorAnswer> error, long retryMillis) {
        super(message);
        this.reason = reason;
        this.error = error;
        this.retryMillis = retryMillis;
    }

    public Reason reason() {
        return reason;
    }

    /** The agent's KMP_ERROR, with {@link Reason#REFUSED}. */
    public Optional<ErrorAnswer> error() {
        return error;
    }

    /** What KMP_RETRY asked for, in milliseconds, with {@link Reason#RETRY}; else 0. */
    public long retryMillis() {
        return retryMillis;
    }

    /** The code of {@link #error}, or 0. */
    public int errorCode() {
        return error.map(ErrorAnswer::code).orElse(0);
    }
}
