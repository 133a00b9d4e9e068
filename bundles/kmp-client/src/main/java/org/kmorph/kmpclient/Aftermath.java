// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What comes up under a lock and is not to be done under it: it is done afterwards, in the order in which it came up, by one thread
 * at a time. Thread-safe.
 */
final class Aftermath {
    private static final Logger LOG = LoggerFactory.getLogger(Aftermath.class);

    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private boolean settling;

    synchronized void add(Runnable action) {
        waiting.add(action);
    }

    /** Does what waits; when another thread is at it already, that one does. Not to be called under the lock in question. */
    void settle() {
        synchronized (this) {
            if (settling) {
                return;
            }
            settling = true;
        }
        while (true) {
            Runnable next;
            synchronized (this) {
                settling = !waiting.isEmpty();
                if (!settling) {
                    return;
                }
                next = waiting.remove();
            }
            try {
                next.run();
            } catch (RuntimeException e) {
                LOG.error("what follows from an event of a session failed", e);
            }
        }
    }
}
