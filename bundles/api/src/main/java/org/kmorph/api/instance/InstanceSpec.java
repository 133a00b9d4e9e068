// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.instance;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a person asked for.
 *
 * @param name 1 to 63 lower-case letters, digits and dashes, beginning with a letter; unique among the living
 * @param host the kind of host: {@code local}, {@code qemu}, {@code multikernel}
 * @param kernel the kernel image; what it means is the host's to say
 * @param kernelCommandLine instead of the host's default one
 * @param initramfs what the instance boots with besides the agent
 * @param monitor whether it is watched, and healed when its policy says so
 * @param heartbeatTimeout over the policy's
 * @param cpus processors: a count ({@code 2}) or a list ({@code 4-7,9})
 * @param memoryBytes memory
 * @param workload what the agent runs, as words; empty for nothing
 */
public record InstanceSpec(
        String name,
        String host,
        Path kernel,
        Optional<String> kernelCommandLine,
        Optional<Path> initramfs,
        boolean monitor,
        Optional<Duration> heartbeatTimeout,
        Optional<String> cpus,
        Optional<Long> memoryBytes,
        List<String> workload) {

    public InstanceSpec {
        workload = List.copyOf(workload);
    }
}
