// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.health;

/**
 * Is told when the judgement of an instance changes. Register it as a service. Must return soon; calls come one at a time and in order.
 * While the health bundle is replaced two monitors may tell the same; who begins to listen finds what happened before in
 * {@link HealthMonitor#reports}.
 */
public interface HealthListener {
    void changed(HealthMonitor.HealthReport report, Health before);

    /** The agent reports a trouble, that one has ended, or that something has happened (its workload ended). */
    default void troubled(HealthMonitor.HealthReport report, String trouble) {}

    /** The instance has booted again without having been asked to: another boot id than before. */
    default void rebooted(HealthMonitor.HealthReport report) {}
}
