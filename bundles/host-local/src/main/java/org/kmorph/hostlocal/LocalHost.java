// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostlocal;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.HostedKernel;
import org.kmorph.api.host.KernelEvents;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.host.KernelImage;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.kmorph.kernelimage.ImageException;
import org.kmorph.kernelimage.KernelRelease;
import org.kmorph.shim.Cpus;
import org.kmorph.shim.ShimStatus;
import org.kmorph.shim.Shims;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * The kernel host {@code local}: an instance is a process of this machine that runs the real agent and workload below a shim, in
 * namespaces and control groups of its own as far as the system allows. It shares the machine's kernel; of the image that it was
 * given it takes the release alone.
 */
@Component(configurationPid = "org.kmorph.host-local")
@Designate(ocd = LocalHost.Config.class)
public final class LocalHost implements KernelHost {
    private static final Duration ASK = Duration.ofSeconds(10);

    /** Its name in the instance's directory. The shim starts the agent there, so no path is too long for the agent. */
    private static final String SOCKET = "agent.sock";

    /** The configuration, {@code etc/org.kmorph.host-local.cfg}. */
    @ObjectClassDefinition(name = "kmorph host-local")
    public @interface Config {
        @AttributeDefinition(
                description = "bytes of console log that an instance keeps",
                min = "4096",
                max = "1073741824")
        int console_bytes() default 8388608;

        @AttributeDefinition(description = "whether instances get namespaces of their own, where the system allows")
        boolean isolate() default true;
    }

    private final Config config;
    private final Path agent;
    private final Shims shims;
    private final ControlGroups groups = ControlGroups.ofThisSystem();

    @Reference(
            target = "(component.name=org.kmorph.transportlocal.UnixTransport)",
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile Transport unix;

    @Activate
    public LocalHost(Config config, BundleContext context) {
        this.config = config;
        Path programs = Directories.of(context).home().resolve("libexec");
        agent = programs.resolve("kmorph-agent");
        shims = new Shims(programs.resolve("kmorph-shim"), () -> Optional.ofNullable(unix));
    }

    @Deactivate
    void stop() {
        shims.close();
    }

    @Override
    public String name() {
        return "local";
    }

    @Override
    public KernelImage inspect(InstanceSpec spec) throws HostException {
        if (spec.address().isPresent()) {
            throw new HostException(
                    "a local instance has no network card of its own for --address; its workload binds to this"
                            + " machine's addresses");
        }
        if (spec.initramfs().isPresent() || spec.kernelCommandLine().isPresent()) {
            throw new HostException("a local instance boots no kernel, so "
                    + (spec.initramfs().isPresent() ? "--initramfs" : "--kernel-cmdline")
                    + " would do nothing there; leave it out, or use a host that boots: --host=qemu");
        }
        if (spec.cpus().isPresent()) {
            Cpus.parse(spec.cpus().get());
        }
        try {
            return new KernelImage(KernelRelease.of(spec.kernel()));
        } catch (ImageException e) {
            throw new HostException(e.getMessage(), e);
        } catch (IOException e) {
            throw new HostException("kernel " + spec.kernel() + " cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public HostedKernel start(int id, InstanceSpec spec, Path directory, KernelEvents events)
            throws HostException, InterruptedException {
        List<String> shortcomings = new ArrayList<>();
        List<Path> limits = groups.make(directory, spec, shortcomings);
        List<String> options = new ArrayList<>(List.of("--log-limit", Integer.toString(config.console_bytes())));
        if (config.isolate()) {
            options.add("--isolate");
        }
        if (spec.successorOf().isPresent()) {
            // connections stay where they are: it sits in its predecessor's network
            Path former =
                    directory.resolveSibling(Integer.toString(spec.successorOf().get()));
            shims.status(former, ASK)
                    .pid()
                    .ifPresent(pid -> options.addAll(List.of("--network-of", Long.toString(pid))));
        }
        if (spec.cpus().isPresent()) {
            Cpus.parse(spec.cpus().get()).list().ifPresent(list -> options.addAll(List.of("--cpus", list)));
        }
        limits.forEach(group -> options.addAll(List.of("--cgroup", group.toString())));
        try {
            shims.start(directory, options, agentCommand(id, spec, limits));
        } catch (HostException | InterruptedException e) {
            groups.remove(directory);
            throw e;
        }
        HostedKernel kernel = kernel(shims.status(directory, ASK), directory, shortcomings);
        shims.watch(directory, events::ended);
        return kernel;
    }

    private List<String> agentCommand(int id, InstanceSpec spec, List<Path> limits) throws HostException {
        List<String> words = new ArrayList<>(List.of(
                agent.toString(),
                "--local",
                "--instance=" + id,
                "--listen=unix:" + SOCKET,
                "--state=.",
                "--kernel-release=" + inspect(spec).release()));
        limits.forEach(group -> words.add("--cgroup=" + group));
        if (spec.successorOf().isPresent()) {
            words.add("--hold");
        }
        if (!spec.workload().isEmpty()) {
            words.add("--");
            words.addAll(spec.workload());
        }
        return words;
    }

    @Override
    public HostedKernel adopt(int id, InstanceSpec spec, Path directory, KernelEvents events)
            throws HostException, InterruptedException {
        HostedKernel kernel = kernel(shims.status(directory, ASK), directory, List.of());
        if (kernel.running()) {
            shims.watch(directory, events::ended);
        }
        return kernel;
    }

    private HostedKernel kernel(ShimStatus status, Path directory, List<String> shortcomings) {
        List<String> notIsolated = new ArrayList<>(shortcomings);
        for (String namespace : List.of("pid", "mount", "net")) {
            if (status.running() && !status.isolated().contains(namespace)) {
                notIsolated.add(namespace + " namespace: the machine's own");
            }
        }
        Endpoint endpoint = new Endpoint("unix", directory.resolve(SOCKET).toString());
        return new HostedKernel(status.running(), status.ended(), endpoint, notIsolated);
    }

    @Override
    public void fence(int id, Path directory, Duration patience) throws HostException, InterruptedException {
        shims.fence(directory, patience);
    }

    @Override
    public boolean hasMemory() {
        return false;
    }

    @Override
    public List<MemoryRange> memory(int id, Path directory) throws HostException {
        throw new HostException("a local instance has no memory of its own: it is processes of this machine's kernel");
    }

    @Override
    public void release(int id, Path directory) throws HostException, InterruptedException {
        shims.quit(directory, ASK);
        groups.remove(directory);
    }
}
