// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.util.concurrent.ThreadFactory;

/**
 * Threads that keep no daemon from ending.
 *
 * @param name of each of them, as a thread dump and the log show it
 */
public record DaemonThreads(String name) implements ThreadFactory {
    @Override
    public Thread newThread(Runnable task) {
        Thread made = new Thread(task, name);
        made.setDaemon(true);
        return made;
    }
}
