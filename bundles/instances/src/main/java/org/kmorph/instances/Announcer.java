// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners of changes, in order, on one thread, so that a slow listener delays others and nobody else. */
final class Announcer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);

    private final List<InstanceListener> listeners = new CopyOnWriteArrayList<>();
    private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
        Thread made = new Thread(task, "kmorph-instance-events");
        made.setDaemon(true);
        return made;
    });

    /** Adds a listener, which first hears of all there are. */
    void add(InstanceListener listener, Supplier<List<Instance>> present) {
        thread.execute(() -> {
            present.get().forEach(instance -> tell(listener, one -> one.changed(instance)));
            listeners.add(listener);
        });
    }

    void remove(InstanceListener listener) {
        listeners.remove(listener);
    }

    void changed(Instance instance) {
        all(listener -> listener.changed(instance));
    }

    void gone(Instance last) {
        all(listener -> listener.gone(last));
    }

    void ended(Instance instance, String how) {
        all(listener -> listener.ended(instance, how));
    }

    private void all(Consumer<InstanceListener> what) {
        thread.execute(() -> listeners.forEach(listener -> tell(listener, what)));
    }

    /** A listener may come from a dropped-in bundle: what it throws is its own trouble. */
    private static void tell(InstanceListener listener, Consumer<InstanceListener> what) {
        try {
            what.accept(listener);
        } catch (RuntimeException e) {
            LOG.warn("listener {} failed", listener.getClass().getName(), e);
        }
    }

    @Override
    public void close() {
        thread.shutdown();
    }
}
