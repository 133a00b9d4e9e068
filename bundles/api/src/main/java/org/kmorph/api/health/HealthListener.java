// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.health;

/** Is told when the judgement of an instance changes. Register it as a service. Must return soon. */
public interface HealthListener {
    void changed(HealthMonitor.HealthReport report, Health before);
}
