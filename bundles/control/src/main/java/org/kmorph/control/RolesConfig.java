// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** etc/org.kmorph.control.roles.cfg: who on this machine may do what. Lists are separated by commas. */
@ObjectClassDefinition(
        pid = "org.kmorph.control.roles",
        name = "kmorph roles on the control socket",
        description = "Root and the user of the daemon are admins always; who is not listed may do nothing.")
@interface RolesConfig {
    @AttributeDefinition(description = "Users that may look, by name or number")
    String viewer_users() default "";

    @AttributeDefinition(description = "Groups whose members may look")
    String viewer_groups() default "";

    @AttributeDefinition(description = "Users that may run instances")
    String operator_users() default "";

    @AttributeDefinition(description = "Groups whose members may run instances")
    String operator_groups() default "";

    @AttributeDefinition(description = "Users that may run the daemon")
    String admin_users() default "";

    @AttributeDefinition(description = "Groups whose members may run the daemon")
    String admin_groups() default "";
}
