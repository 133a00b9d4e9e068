// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The configuration, {@code etc/org.kmorph.deploy.cfg}. */
@ObjectClassDefinition(name = "kmorph deploy")
public @interface DeployConfig {
    @AttributeDefinition(description = "Whether a jar must be signed by a certificate of etc/trusted/")
    boolean require_signed() default false;

    @AttributeDefinition(description = "Seconds in which a new bundle must become healthy", min = "1", max = "600")
    int health_seconds() default 10;

    @AttributeDefinition(description = "Milliseconds between two looks into deploy/", min = "50", max = "60000")
    int poll_ms() default 500;
}
