// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import org.kmorph.api.command.ExitCode;

/** The daemon will not serve this client (any longer); the message is a sentence for the person at the other end. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    private final ExitCode code;

    Refusal(ExitCode code, String message) {
        super(message);
        this.code = code;
    }

    /** A client that does not speak the protocol. */
    static Refusal malformed(String what) {
        return new Refusal(
                ExitCode.DAEMON_UNREACHABLE, "malformed request: " + what + "; see docs/control-protocol.md");
    }

    /** What the client exits with. */
    ExitCode code() {
        return code;
    }
}
