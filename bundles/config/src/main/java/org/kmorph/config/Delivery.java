// SPDX-License-Identifier: Apache-2.0
package org.kmorph.config;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;
import org.osgi.service.cm.ConfigurationListener;

/**
 * Waits until everyone has been told of a changed configuration. The configuration admin tells its listeners from one thread, all
 * of them of one event before any of the next: when an event of our own, made last, comes back, what was changed before it is
 * known to all. One thread at a time.
 */
final class Delivery implements ConfigurationListener {
    /** Of no component; it never has values. */
    private static final String MARK = "org.kmorph.config.delivery";

    private final BundleContext context;
    private final ConfigurationAdmin admin;
    private final Semaphore marks = new Semaphore(0);

    Delivery(BundleContext context, ConfigurationAdmin admin) {
        this.context = context;
        this.admin = admin;
    }

    @Override
    public void configurationEvent(ConfigurationEvent event) {
        if (MARK.equals(event.getPid())) {
            marks.release();
        }
    }

    /**
     * Not to be called from a listener of configurations, which would wait for itself.
     *
     * @return false when somebody was still at it after {@code patience}, or the thread was interrupted, which it then is again
     */
    boolean await(Duration patience) throws IOException {
        ServiceRegistration<ConfigurationListener> registration =
                context.registerService(ConfigurationListener.class, this, null);
        try {
            marks.drainPermits();
            admin.getConfiguration(MARK, "?").delete();
            return marks.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            registration.unregister();
        }
    }
}
