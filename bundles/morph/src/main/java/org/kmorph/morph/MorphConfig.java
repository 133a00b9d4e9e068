// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The configuration, {@code etc/org.kmorph.morph.cfg}. */
@ObjectClassDefinition(name = "kmorph morph")
public @interface MorphConfig {
    @AttributeDefinition(
            description = "how long the old kernel may keep its workload frozen before it resumes it by itself, in ms",
            min = "50",
            max = "60000")
    int lease_millis() default 1000;

    @AttributeDefinition(
            description = "how long a prepared morph waits for its commit before it is rolled back, in seconds",
            min = "5",
            max = "604800")
    int prepared_expires_seconds() default 3600;

    @AttributeDefinition(
            description = "how often the state of a prepared morph is made fresh, in ms",
            min = "100",
            max = "60000")
    int refresh_millis() default 2000;

    @AttributeDefinition(
            description = "how long the old kernel is kept after a commit, in seconds",
            min = "0",
            max = "86400")
    int provisional_seconds() default 10;

    @AttributeDefinition(
            description = "a round of so many bytes is small enough to freeze after it",
            min = "4096",
            max = "1073741824")
    int small_round_bytes() default 1048576;
}
