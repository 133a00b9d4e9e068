// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners of changes, in order, on one thread, so that a slow listener delays others and nobody else. */
final class Announcer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);

    private final Supplier<List<InstanceListener>> listeners;
    private final Supplier<List<Instance>> present;
    private final ExecutorService thread;

    /** Those that have heard of all there were when they came; used on the thread alone. */
    private final Set<InstanceListener> greeted = Collections.newSetFromMap(new IdentityHashMap<>());

    /**
     * Makes one.
     *
     * @param listeners those to tell, at any time
     * @param present the instances there are, of which a listener hears first
     * @param thread one
     */
    Announcer(Supplier<List<InstanceListener>> listeners, Supplier<List<Instance>> present, ExecutorService thread) {
        this.listeners = listeners;
        this.present = present;
        this.thread = thread;
    }

    /** Says that the listeners are others than before. */
    void listenersChanged() {
        all(listener -> {});
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
        try {
            thread.execute(() -> tellAll(what));
        } catch (RejectedExecutionException e) {
            LOG.debug("whoever comes after tells how things stand", e);
        }
    }

    private void tellAll(Consumer<InstanceListener> what) {
        List<InstanceListener> now = listeners.get();
        greeted.retainAll(now);
        for (InstanceListener listener : now) {
            if (greeted.add(listener)) {
                present.get().forEach(instance -> tell(listener, one -> one.changed(instance)));
            }
            tell(listener, what);
        }
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
