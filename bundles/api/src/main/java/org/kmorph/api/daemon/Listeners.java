// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

/**
 * Services that are told of events by the one whom they need to be there. Each is fetched when there is first something to tell, not when
 * it comes: a listener is as a rule made with a reference to the very service that tells it, and to fetch it while that is still being
 * made would be a circle.
 *
 * <pre>{@code
 * @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
 * void addListener(ServiceReference<HealthListener> reference) { listeners.add(reference); }
 *
 * void removeListener(ServiceReference<HealthListener> reference) { listeners.remove(reference); }
 * }</pre>
 *
 * Thread-safe; a service is fetched on the thread that asks for it, and held until it is removed.
 *
 * @param <L> the type of the services
 */
public final class Listeners<L> {
    private final BundleContext context;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();

    public Listeners(BundleContext context) {
        this.context = context;
    }

    /** Adds a listener. */
    public void add(ServiceReference<L> reference) {
        listeners.add(new Listener(reference));
    }

    /** Removes a listener and gives its service back; without effect when it is not there. */
    public void remove(ServiceReference<L> reference) {
        for (Listener listener : listeners) {
            if (listener.reference.equals(reference)) {
                listeners.remove(listener);
                listener.giveBack();
            }
        }
    }

    /** Those that can be told something now, in the order in which they came; one that cannot be started now is tried again next time. */
    public List<L> all() {
        return listeners.stream()
                .map(Listener::service)
                .flatMap(Optional::stream)
                .toList();
    }

    private final class Listener {
        private final ServiceReference<L> reference;
        private final AtomicReference<L> service = new AtomicReference<>();
        private volatile boolean removed;

        Listener(ServiceReference<L> reference) {
            this.reference = reference;
        }

        /** Without a lock, for to fetch a service may start a whole component. */
        Optional<L> service() {
            L held = service.get();
            return held != null ? Optional.of(held) : fetch();
        }

        private Optional<L> fetch() {
            L fetched;
            try {
                fetched = context.getService(reference);
            } catch (IllegalStateException e) {
                return Optional.empty(); // the bundle that tells has been stopped
            }
            if (fetched == null) {
                return Optional.empty();
            }
            if (removed || !service.compareAndSet(null, fetched)) {
                context.ungetService(reference);
            } else if (removed) {
                giveBack();
            }
            return Optional.of(fetched);
        }

        void giveBack() {
            removed = true;
            if (service.getAndSet(null) != null) {
                context.ungetService(reference);
            }
        }
    }
}
