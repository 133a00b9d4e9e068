// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import java.util.concurrent.atomic.AtomicBoolean;
import org.kmorph.nativeos.Urgency;
import org.osgi.service.component.annotations.Component;

/** {@link Urgency} by {@code sched.h}: to the kernel a thread is what has an id. */
@Component(service = Urgency.class)
public final class LibcUrgency implements Urgency {
    private static final int[] LEAST = {1};
    private static final int[] NONE = {0};

    @Override
    public Hurry hurry() {
        int thread = LibC.gettid();
        if (LibC.sched_setscheduler(thread, LibC.SCHED_FIFO | LibC.SCHED_RESET_ON_FORK, LEAST) != 0) {
            return () -> {};
        }
        AtomicBoolean over = new AtomicBoolean();
        return () -> {
            if (!over.getAndSet(true)) {
                LibC.sched_setscheduler(thread, LibC.SCHED_OTHER, NONE);
            }
        };
    }
}
