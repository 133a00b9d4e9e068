// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.host.ConsoleTail;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.HostedKernel;
import org.kmorph.api.host.KernelEvents;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.host.KernelImage;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.kmorph.api.transport.VsockLink;
import org.kmorph.shim.Cpus;
import org.kmorph.shim.ShimStatus;
import org.kmorph.shim.Shims;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
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
 * The kernel host {@code qemu}: an instance is a Linux kernel on a machine of its own, which a QEMU below a shim is. It is reached over
 * the link that the shim keeps; its memory is a file in the instance's directory.
 */
@Component(configurationPid = "org.kmorph.host-qemu")
@Designate(ocd = QemuHost.Config.class)
public final class QemuHost implements KernelHost {
    private static final Duration ASK = Duration.ofSeconds(10);

    /** How long QEMU may take from its start until it answers. */
    private static final Duration START = Duration.ofSeconds(30);

    private static final Duration QMP_FENCE = Duration.ofSeconds(1);

    /** KMP_PORT of kernel/include/kmp.h. */
    private static final int AGENT_PORT = 9000;

    private static final int CONSOLE_LINES = 6;

    /** The configuration, {@code etc/org.kmorph.host-qemu.cfg}. */
    @ObjectClassDefinition(name = "kmorph host-qemu")
    public @interface Config {
        @AttributeDefinition(description = "QEMU's program, a path or a name on PATH")
        String qemu() default "qemu-system-x86_64";

        @AttributeDefinition(description = "what runs a machine's instructions: auto, kvm or tcg")
        String accel() default "auto";

        @AttributeDefinition(
                description = "bytes of console log that an instance keeps",
                min = "4096",
                max = "1073741824")
        int console_bytes() default 8388608;

        @AttributeDefinition(
                description = "bytes of the memory that the daemon shares with an instance, a power of two",
                min = "1048576",
                max = "268435456")
        int link_bytes() default 4194304;

        @AttributeDefinition(
                description = "where ./kmorph kernels has put its kernels; empty for where it does by default")
        String kernels() default "";

        @AttributeDefinition(
                description =
                        "the multicast group ADDRESS:PORT that is the network of instances with an address; empty for none")
        String network() default "";
    }

    /** What is done for one instance as long as it is hosted. */
    private record Hosted(PanicWatch panics, ServiceRegistration<VsockLink> link) {
        void end() {
            panics.close();
            try {
                link.unregister();
            } catch (IllegalStateException e) {
                // the framework was faster: this bundle stops
            }
        }
    }

    private final Config config;
    private final BundleContext context;
    private final Boot boot;
    private final Resources resources;
    private final Shims shims;
    private final Map<Path, Hosted> hosted = new ConcurrentHashMap<>();
    private final ScheduledThreadPoolExecutor timer =
            new ScheduledThreadPoolExecutor(1, new DaemonThreads("kmorph-host-qemu"));

    @Reference(
            target = "(component.name=org.kmorph.transportlocal.UnixTransport)",
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile Transport unix;

    @Activate
    public QemuHost(Config config, BundleContext context) {
        this.config = config;
        this.context = context;
        Directories directories = Directories.of(context);
        Path programs = directories.home().resolve("libexec");
        boot = new Boot(
                programs.resolve("kmorph-agent"),
                directories.cache().resolve("kernels"),
                Fetched.directory(config.kernels()));
        resources = new Resources(config.qemu());
        shims = new Shims(programs.resolve("kmorph-shim"), unix());
    }

    private Supplier<Optional<Transport>> unix() {
        return () -> Optional.ofNullable(unix);
    }

    @Deactivate
    void stop() {
        timer.shutdownNow();
        hosted.values().forEach(Hosted::end);
        shims.close();
    }

    @Override
    public String name() {
        return "qemu";
    }

    @Override
    public KernelImage inspect(InstanceSpec spec) throws HostException {
        String release = boot.release(spec.kernel());
        if (spec.cpus().isPresent()) {
            Cpus.parse(spec.cpus().get());
        }
        if (spec.initramfs().isPresent() && !Files.isReadable(spec.initramfs().get())) {
            throw new HostException("initramfs " + spec.initramfs().get() + " is not there, or may not be read");
        }
        resources.qemu();
        resources.memory(spec.memoryBytes());
        boot.modules(spec.kernel(), Network.of(spec.address(), config.network()).isPresent());
        return new KernelImage(release);
    }

    @Override
    public HostedKernel start(int id, InstanceSpec spec, Path directory, KernelEvents events)
            throws HostException, InterruptedException {
        inspect(spec);
        Optional<Cpus> cpus =
                spec.cpus().isPresent() ? Optional.of(Cpus.parse(spec.cpus().get())) : Optional.empty();
        long memory = resources.memory(spec.memoryBytes());
        resources.space(directory, memory);
        Path qemu = resources.qemu();
        boolean emulated = new Accelerator(config.accel(), Accelerator.KVM).emulated(qemu);
        Optional<Network> network = Network.of(spec.address(), config.network());
        Machine machine = new Machine(
                qemu.toString(),
                cpus.map(Cpus::number).orElse(1),
                memory,
                boot.kernel(spec.kernel()).toAbsolutePath().toString(),
                emulated,
                network,
                Machine.commandLine(id, spec, emulated));
        boot.initramfs(directory.resolve(Machine.INITRAMFS), spec.kernel(), spec.initramfs(), network.isPresent());
        List<String> options = new ArrayList<>(List.of(
                "--log-limit", Integer.toString(config.console_bytes()),
                "--link-bytes", Integer.toString(config.link_bytes()),
                "--link-id", Integer.toString(id)));
        cpus.flatMap(Cpus::list).ifPresent(list -> options.addAll(List.of("--cpus", list)));
        try {
            shims.start(directory, options, machine.words());
            untilItAnswers(directory);
        } catch (HostException | InterruptedException e) {
            abandon(directory);
            throw e;
        }
        host(id, directory, events);
        return kernel(id, shims.status(directory, ASK));
    }

    private void untilItAnswers(Path directory) throws HostException, InterruptedException {
        long end = System.nanoTime() + START.toNanos();
        while (System.nanoTime() < end) {
            Optional<String> ended = shims.status(directory, ASK).ended();
            if (ended.isPresent()) {
                throw new HostException("QEMU did not start the kernel: " + ended.get() + "; it said: "
                        + String.join("; ", ConsoleTail.last(directory, CONSOLE_LINES)));
            }
            Optional<Transport> transport = unix().get();
            if (transport.isPresent()
                    && new Monitor(transport.get(), directory).state(QMP_FENCE).isPresent()) {
                return;
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        throw new HostException("QEMU has not answered within " + START.toSeconds() + " s of its start; it said: "
                + String.join("; ", ConsoleTail.last(directory, CONSOLE_LINES)));
    }

    /** What was half made is taken away. */
    private void abandon(Path directory) throws HostException, InterruptedException {
        shims.fence(directory, ASK);
        release(0, directory);
    }

    private void host(int id, Path directory, KernelEvents events) {
        PanicWatch panics = new PanicWatch(unix(), directory, timer, events::ended);
        VsockLink link = new VsockLink(contextId(id), id, directory.resolve("shim.sock"));
        Optional.ofNullable(
                        hosted.put(directory, new Hosted(panics, context.registerService(VsockLink.class, link, null))))
                .ifPresent(Hosted::end);
        panics.connect();
        shims.watch(directory, how -> {
            panics.close();
            events.ended(how + last(directory));
        });
    }

    private static String last(Path directory) {
        List<String> lines = ConsoleTail.last(directory, CONSOLE_LINES);
        return lines.isEmpty() ? "" : "; the last of its console:\n  " + String.join("\n  ", lines);
    }

    @Override
    public HostedKernel adopt(int id, InstanceSpec spec, Path directory, KernelEvents events)
            throws HostException, InterruptedException {
        ShimStatus status = shims.status(directory, ASK);
        if (status.running()) {
            host(id, directory, events);
        }
        return kernel(id, status);
    }

    private HostedKernel kernel(int id, ShimStatus status) {
        Endpoint agent = new Endpoint("vsock", contextId(id) + ":" + AGENT_PORT);
        return new HostedKernel(status.running(), status.ended(), agent, List.of());
    }

    @Override
    public void fence(int id, Path directory, Duration patience) throws HostException, InterruptedException {
        unhost(directory);
        Optional<Transport> transport = unix().get();
        if (transport.isPresent() && Files.exists(directory.resolve(Machine.COMMANDS))) {
            Duration each = patience.compareTo(QMP_FENCE) < 0 ? patience : QMP_FENCE;
            Monitor monitor = new Monitor(transport.get(), directory);
            if (new Registers(directory).keep(monitor, each)) {
                // lets QEMU give back what it holds; whether it does or not, the shim makes certain
                monitor.quit(each);
            }
        }
        shims.fence(directory, patience);
    }

    private void unhost(Path directory) {
        Optional.ofNullable(hosted.remove(directory)).ifPresent(Hosted::end);
        shims.forget(directory);
    }

    @Override
    public List<MemoryRange> memory(int id, Path directory) throws HostException {
        try {
            return Machine.memory(directory.resolve(Machine.MEMORY));
        } catch (IOException e) {
            throw new HostException("the machine in " + directory + " has no memory any more: " + e.getMessage(), e);
        }
    }

    @Override
    public List<byte[]> registers(int id, Path directory) throws HostException {
        Registers registers = new Registers(directory);
        List<byte[]> kept = registers.kept();
        Optional<Transport> transport = unix().get();
        if (!kept.isEmpty() || transport.isEmpty() || !Files.exists(directory.resolve(Machine.COMMANDS))) {
            return kept;
        }
        try {
            return registers.now(new Monitor(transport.get(), directory), QMP_FENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HostException("the reading of registers was interrupted", e);
        }
    }

    @Override
    public void release(int id, Path directory) throws HostException, InterruptedException {
        unhost(directory);
        shims.quit(directory, ASK);
        new Registers(directory).remove();
        for (String name : List.of(Machine.MEMORY, Machine.INITRAMFS, Machine.EVENTS, Machine.COMMANDS)) {
            try {
                Files.deleteIfExists(directory.resolve(name));
            } catch (IOException e) {
                throw new HostException(directory.resolve(name) + " cannot be removed: " + e.getMessage(), e);
            }
        }
    }
}
