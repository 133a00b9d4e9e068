// SPDX-License-Identifier: Apache-2.0
package org.kmorph.systemd;

/** What is needed to know of {@code etc/org.kmorph.control.cfg}: where clients knock. */
@interface ControlSocketConfiguration {
    /** A relative path is under the run directory. */
    String socket() default "control.sock";
}
