// SPDX-License-Identifier: Apache-2.0
package org.kmorph.systemd;

/** The texts of sd_notify(3) that the daemon sends: assignments, one a line. */
final class Notice {
    static final String WATCHDOG = "WATCHDOG=1";
    static final String STOPPING = "STOPPING=1\nSTATUS=stopping";
    static final String RELOADING = "RELOADING=1\nSTATUS=reading the configuration again";

    private Notice() {}

    /** The daemon answers; systemd may start what waits for it. */
    static String ready(long pid) {
        return "READY=1\nMAINPID=" + pid + "\nSTATUS=running";
    }

    /** One line for {@code systemctl status}. */
    static String status(String text) {
        return "STATUS=" + text.replace('\n', ' ');
    }
}
