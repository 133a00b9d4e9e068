// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.instance;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

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
 * @param successorOf the id of the instance that it is to succeed: until then its agent holds the workload, and it is in the network of
 *     that one where the host has one for each
 * @param address of its workload in its host's network, as {@code 10.0.0.5/24}; it moves with the workload
 * @param label what it shares with others that are morphed together; as a name
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
        List<String> workload,
        Optional<Integer> successorOf,
        Optional<String> address,
        Optional<String> label) {

    private static final String WORKLOAD = "workload.";

    private static final Pattern NAME = Pattern.compile("[a-z]([a-z0-9-]{0,61}[a-z0-9])?");

    public InstanceSpec {
        workload = List.copyOf(workload);
    }

    /** One that is watched and has its host's usual kernel command line, processors and memory. */
    public static InstanceSpec watched(String name, String host, Path kernel, List<String> workload) {
        return new InstanceSpec(
                name,
                host,
                kernel,
                Optional.empty(),
                Optional.empty(),
                true,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                workload,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /** The same under another name, watched or not, and not held: whoever makes it again makes it running. */
    public InstanceSpec as(String otherName, boolean watched) {
        return new InstanceSpec(
                otherName,
                host,
                kernel,
                kernelCommandLine,
                initramfs,
                watched,
                heartbeatTimeout,
                cpus,
                memoryBytes,
                workload,
                Optional.empty(),
                address,
                label);
    }

    /** The same on another kernel, to succeed an instance. */
    public InstanceSpec succeeding(int id, Path otherKernel) {
        return with(otherKernel, Optional.of(id));
    }

    /** The same on another kernel. */
    public InstanceSpec on(Path otherKernel) {
        return with(otherKernel, successorOf);
    }

    private InstanceSpec with(Path otherKernel, Optional<Integer> succeeds) {
        return new InstanceSpec(
                name,
                host,
                otherKernel,
                kernelCommandLine,
                initramfs,
                monitor,
                heartbeatTimeout,
                cpus,
                memoryBytes,
                workload,
                succeeds,
                address,
                label);
    }

    /** Whether an instance may be called so: what a label of a host name may be (RFC 1123), beginning with a letter. */
    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /** As the fields of a journal entry; {@link #of} reads them back. The name is not among them. */
    public Map<String, String> fields() {
        Map<String, String> fields = new TreeMap<>();
        fields.put("host", host);
        fields.put("kernel", kernel.toString());
        fields.put("monitor", Boolean.toString(monitor));
        successorOf.ifPresent(value -> fields.put("successor_of", Integer.toString(value)));
        kernelCommandLine.ifPresent(value -> fields.put("cmdline", value));
        initramfs.ifPresent(value -> fields.put("initramfs", value.toString()));
        address.ifPresent(value -> fields.put("address", value));
        label.ifPresent(value -> fields.put("label", value));
        heartbeatTimeout.ifPresent(value -> fields.put("heartbeat_timeout", value.toString()));
        cpus.ifPresent(value -> fields.put("cpus", value));
        memoryBytes.ifPresent(value -> fields.put("memory_bytes", Long.toString(value)));
        for (int index = 0; index < workload.size(); index++) {
            fields.put(WORKLOAD + index, workload.get(index));
        }
        return fields;
    }

    /**
     * Reads what {@link #fields} wrote; others may stand beside it.
     *
     * @throws IllegalArgumentException when it did not; the message says which field
     */
    public static InstanceSpec of(String name, Map<String, String> fields) {
        List<String> workload = new ArrayList<>();
        for (String word = fields.get(WORKLOAD + 0); word != null; word = fields.get(WORKLOAD + workload.size())) {
            workload.add(word);
        }
        return new InstanceSpec(
                name,
                required(fields, "host"),
                Path.of(required(fields, "kernel")),
                Optional.ofNullable(fields.get("cmdline")),
                Optional.ofNullable(fields.get("initramfs")).map(Path::of),
                Boolean.parseBoolean(required(fields, "monitor")),
                Optional.ofNullable(fields.get("heartbeat_timeout")).map(Duration::parse),
                Optional.ofNullable(fields.get("cpus")),
                Optional.ofNullable(fields.get("memory_bytes")).map(Long::valueOf),
                workload,
                Optional.ofNullable(fields.get("successor_of")).map(Integer::valueOf),
                Optional.ofNullable(fields.get("address")),
                Optional.ofNullable(fields.get("label")));
    }

    private static String required(Map<String, String> fields, String name) {
        return Optional.ofNullable(fields.get(name))
                .orElseThrow(() -> new IllegalArgumentException("field \"" + name + "\" is missing"));
    }
}
