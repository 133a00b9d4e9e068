// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

/** How a command ended: the exit codes that every door hands to its caller. */
public enum ExitCode {
    /** The command did what was asked. */
    DONE(0),
    /** The command was understood and could not be done; the message says why. */
    FAILED(1),
    /** The words were not understood; the message says what was expected. */
    USAGE(2),
    /** The daemon, or the instance, is not running. */
    NOT_RUNNING(3),
    /** No instance of that name. */
    NO_SUCH_INSTANCE(4),
    /** The caller's role does not allow it. */
    DENIED(5),
    /** A deadline passed; the message says what state things are left in. */
    TIMED_OUT(6),
    /** A change was undone; things are as they were before. */
    ROLLED_BACK(7),
    /** The daemon could not be reached; said by clients, never by the daemon. */
    DAEMON_UNREACHABLE(8);

    private final int status;

    ExitCode(int status) {
        this.status = status;
    }

    /** The process exit status, 0 to 8. */
    public int status() {
        return status;
    }
}
