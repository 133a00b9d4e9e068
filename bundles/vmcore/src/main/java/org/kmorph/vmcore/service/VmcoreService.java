// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.service;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.InFlight;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.vmcore.Capture;
import org.kmorph.api.vmcore.VmcoreException;
import org.kmorph.api.vmcore.Vmcores;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.vmcore.analysis.Verdict;
import org.kmorph.vmcore.capture.CaptureFile;
import org.kmorph.vmcore.capture.CaptureOptions;
import org.kmorph.vmcore.capture.Capturer;
import org.kmorph.vmcore.capture.MemorySource;
import org.kmorph.vmcore.survivors.Survivors;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Captures instances' memory. */
@Component(
        service = {Vmcores.class, VmcoreService.class},
        configurationPid = "org.kmorph.vmcore")
@Designate(ocd = VmcoreConfig.class)
public final class VmcoreService implements Vmcores {
    private static final Logger LOG = LoggerFactory.getLogger(VmcoreService.class);
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Map<String, KernelHost> hosts = new ConcurrentHashMap<>();
    private final InFlight inFlight = new InFlight();
    private volatile boolean stopped;
    private final VmcoreConfig config;
    private final Path program;
    private final Path instances;
    private final Keepings keepings;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile KmpClient client;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Instances others;

    private final Survivors survivors = new Survivors(() -> this.client);

    @Activate
    public VmcoreService(VmcoreConfig config, BundleContext context) {
        this.config = config;
        Directories directories = Directories.of(context);
        Path state = directories.state();
        program = directories.home().resolve("libexec/kmorph-capture");
        instances = state.resolve("instances");
        keepings = new Keepings(state.resolve("vmcores"));
    }

    @Deactivate
    void stop() {
        inFlight.drain(PATIENCE);
        stopped = true;
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addHost(KernelHost host) {
        hosts.put(host.name(), host);
    }

    void removeHost(KernelHost host) {
        hosts.remove(host.name(), host);
    }

    @Override
    public Capture capture(Instance fenced, Duration deadline, Progress progress)
            throws VmcoreException, InterruptedException {
        try (InFlight.Call call = inFlight.enter()) {
            Optional<Capture> there = keepings.of(fenced);
            return there.isPresent() ? there.get() : captureAnew(fenced, deadline, progress);
        } catch (IOException e) {
            throw new VmcoreException("the memory of " + fenced.name() + " was not captured: " + e.getMessage(), e);
        }
    }

    private Capture captureAnew(Instance fenced, Duration deadline, Progress progress)
            throws IOException, VmcoreException, InterruptedException {
        Instant at = Instant.now();
        keepings.removePartial(fenced.name());
        Path path = keepings.place(fenced.name(), at);
        Limits limits = new Limits(deadline, path.getParent(), config.leave_bytes(), () -> stopped, progress);
        limits.check();
        CaptureFile.Result result = CaptureFile.write(path, automatic(fenced), limits);
        result.notes().forEach(note -> LOG.info("{}: {}", path, note));
        Capture capture = understood(fenced, path, at, result.bytes());
        keepings.remember(capture, fenced.id());
        for (Path removed :
                keepings.prune(config.keep_count(), config.keep_bytes(), Duration.ofDays(config.keep_days()), at)) {
            LOG.info("{} was removed: more captures than are kept", removed);
        }
        LOG.info("{} has the memory of {}: {}", path, fenced.name(), capture.verdict());
        return capture;
    }

    @Override
    public boolean hasMemory(Instance instance) {
        return Optional.ofNullable(hosts.get(instance.spec().host()))
                .map(KernelHost::hasMemory)
                .orElse(true);
    }

    private static Capture understood(Instance fenced, Path path, Instant at, long bytes) {
        try {
            Verdict verdict = Reading.of(path).verdict();
            return new Capture(fenced.name(), path, at, bytes, verdict.paragraph(), verdict.signature());
        } catch (IOException | RuntimeException e) {
            LOG.warn("{} could not be analysed", path, e);
            return new Capture(fenced.name(), path, at, bytes, "It could not be analysed: " + e.getMessage(), "");
        }
    }

    /** With {@code by = survivors} by those who can read it, where there are some. */
    private Capturer automatic(Instance fenced) throws VmcoreException, InterruptedException {
        if (By.of(config.by()) == By.SURVIVORS) {
            Survivors.Found found = survivors.find(others.list(), fenced);
            if (!found.able().isEmpty()) {
                return capturer(fenced, CaptureOptions.usual(), found.able());
            }
            LOG.info("the memory of {} is read by the daemon, for {}", fenced.name(), nobody(found));
        }
        return capturer(fenced, CaptureOptions.usual(), List.of());
    }

    private static String nobody(Survivors.Found found) {
        return "no other instance can read it: "
                + (found.unable().isEmpty() ? "there is none that runs" : String.join("; ", found.unable()));
    }

    /**
     * What captures an instance's memory.
     *
     * @throws VmcoreException when its host has none to show, or it is to be read by survivors and none can
     */
    public Capturer capturer(Instance instance, CaptureOptions options, By by)
            throws VmcoreException, InterruptedException {
        if (by == By.DAEMON) {
            return capturer(instance, options, List.of());
        }
        Survivors.Found found = survivors.find(others.list(), instance);
        if (found.able().isEmpty()) {
            throw new VmcoreException(nobody(found) + "; an instance of host local can, or --by=daemon");
        }
        return capturer(instance, options, found.able());
    }

    /** @param readers who reads it; nobody for the daemon */
    private Capturer capturer(Instance instance, CaptureOptions options, List<Instance> readers)
            throws VmcoreException {
        String name = instance.spec().host();
        KernelHost host = Optional.ofNullable(hosts.get(name))
                .orElseThrow(
                        () -> new VmcoreException("the host \"" + name + "\" of " + instance.name() + " is not there"));
        Path directory = instances.resolve(Integer.toString(instance.id()));
        try {
            List<MemoryRange> memory = host.memory(instance.id(), directory);
            MemorySource source = readers.isEmpty()
                    ? MemorySource.of(memory)
                    : survivors.memory(instance, readers, memory, directory, config.survivor_bytes_per_second());
            return new Capturer(program, source, host.registers(instance.id(), directory), options);
        } catch (HostException e) {
            throw new VmcoreException(instance.name() + " has no memory to capture: " + e.getMessage(), e);
        }
    }

    @Override
    public List<Capture> list() throws VmcoreException {
        try {
            return keepings.list();
        } catch (IOException e) {
            throw new VmcoreException("the captures cannot be listed: " + e.getMessage(), e);
        }
    }
}
