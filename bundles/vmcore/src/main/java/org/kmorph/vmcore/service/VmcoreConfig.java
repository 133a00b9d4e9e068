// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.service;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** Settings of automatic captures. */
@ObjectClassDefinition(
        name = "vmcore",
        description = "How many captures of dead kernels' memory are kept; never less than the newest of each instance")
public @interface VmcoreConfig {
    @AttributeDefinition(
            description = "who reads the memory: daemon, or survivors where there are some that can",
            options = {@Option(label = "daemon", value = "daemon"), @Option(label = "survivors", value = "survivors")})
    String by() default "daemon";

    @AttributeDefinition(
            description =
                    "bytes that each survivor reads in a second at most; one that is slower than half the least is given up",
            min = "8388608",
            max = "1099511627776")
    long survivor_bytes_per_second() default 1L << 30;

    @AttributeDefinition(description = "captures", min = "1")
    int keep_count() default 20;

    @AttributeDefinition(description = "bytes of all together", min = "1")
    long keep_bytes() default 20L << 30;

    @AttributeDefinition(description = "days", min = "1")
    int keep_days() default 30;

    @AttributeDefinition(
            description = "bytes of the disk that are left free: the journal is on it too",
            min = "0",
            max = "1152921504606846976")
    long leave_bytes() default 1L << 28;
}
