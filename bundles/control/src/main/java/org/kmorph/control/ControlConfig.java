// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** etc/org.kmorph.control.cfg. */
@ObjectClassDefinition(
        pid = "org.kmorph.control",
        name = "kmorph control socket",
        description = "The Unix socket that kmorphctl talks to")
@interface ControlConfig {
    @AttributeDefinition(description = "Path of the socket; a relative one is under the run directory")
    String socket() default "control.sock";

    @AttributeDefinition(description = "Group of the socket; empty: the primary group of the daemon's user")
    String group() default "";

    @AttributeDefinition(description = "Clients at once, and commands that run on without one", min = "1", max = "256")
    int max_connections() default 64;

    @AttributeDefinition(
            description = "Seconds that running commands have to end when this bundle is replaced",
            min = "0",
            max = "86400")
    int drain_seconds() default 600;
}
