// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

/** The way a caller came in. */
public enum Door {
    /** The console of a foreground daemon. */
    CONSOLE,
    /** The Unix socket that kmorphctl talks to. */
    SOCKET,
    /** The remote shell. */
    SSH
}
