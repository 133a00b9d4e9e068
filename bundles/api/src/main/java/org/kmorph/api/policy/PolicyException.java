// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.policy;

/** A policy was not changed. The message names the setting, what was expected and what to do. */
public final class PolicyException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean refused;

    /** @param refused whether what was asked for is wrong, and not what was tried */
    public PolicyException(boolean refused, String message, Throwable cause) {
        super(message, cause);
        this.refused = refused;
    }

    public PolicyException(String refusal) {
        super(refusal);
        this.refused = true;
    }

    /** Whether what was asked for is wrong; else it could not be recorded. */
    public boolean refused() {
        return refused;
    }
}
