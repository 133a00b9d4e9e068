// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.vmcore.Capture;
import org.kmorph.api.vmcore.VmcoreException;
import org.kmorph.api.vmcore.Vmcores;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has the memory of fenced instances saved. That it cannot be is said, and holds up no recovery. Thread-safe. */
final class Captures {
    private static final Logger LOG = LoggerFactory.getLogger(Captures.class);

    private final Supplier<Optional<Vmcores>> vmcores;

    /** @param vmcores who can; not there while its bundle is replaced, or not installed */
    Captures(Supplier<Optional<Vmcores>> vmcores) {
        this.vmcores = vmcores;
    }

    /** Whether there is memory of it to save. Where nobody is there who knows, it is assumed: the log then says why it was not saved. */
    boolean canCapture(Instance instance) {
        return vmcores.get().map(there -> there.hasMemory(instance)).orElse(true);
    }

    /** Blocks for as long as it takes, at most {@code deadline}. @return {@code Captured} or {@code NotCaptured} */
    Healing.Event capture(Instance fenced, Duration deadline) throws InterruptedException {
        Optional<Vmcores> there = vmcores.get();
        Healing.Event event = capture(there, fenced, deadline);
        // replaced while it was at it: its successor begins anew
        Optional<Vmcores> now = vmcores.get();
        return event instanceof Healing.Event.NotCaptured && now.isPresent() && !now.equals(there)
                ? capture(now, fenced, deadline)
                : event;
    }

    private static Healing.Event capture(Optional<Vmcores> there, Instance fenced, Duration deadline)
            throws InterruptedException {
        if (there.isEmpty()) {
            return new Healing.Event.NotCaptured("the bundle vmcore is not running");
        }
        try {
            Capture capture = there.get().capture(fenced, deadline, (done, total) -> {});
            Map<String, String> evidence = new TreeMap<>();
            evidence.put("vmcore", capture.path().toString());
            evidence.put("vmcore_verdict", capture.verdict());
            if (!capture.signature().isEmpty()) {
                evidence.put("crash_signature", capture.signature());
            }
            return new Healing.Event.Captured(
                    "its memory is in " + capture.path() + " (" + capture.bytes() + " bytes): " + capture.verdict(),
                    evidence);
        } catch (VmcoreException e) {
            return new Healing.Event.NotCaptured(e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("the memory of \"{}\" was not saved", fenced.name(), e);
            return new Healing.Event.NotCaptured("this is a fault in kmorph, see its log: " + e);
        }
    }
}
