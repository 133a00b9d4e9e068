// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.policy;

import java.util.List;

/**
 * The settings that a bundle brings. Register it as a service. When it leaves, values that were set stay in the journal, are not shown,
 * and count again when it comes back.
 */
public interface PolicyTable {
    /** Always the same ones; of two tables with a setting of one name the higher ranked counts. */
    List<PolicySetting<?>> settings();

    /**
     * Checks what no setting can check alone, before values are taken: is called for everything that a change would touch.
     *
     * @param values as they would be, of settings of this table and of {@link StandardPolicy}
     * @throws IllegalArgumentException when they do not go together; the message says what does
     */
    default void check(Values values) {}

    /** Values that would count for one instance, or for all. */
    interface Values {
        <T> T value(PolicySetting<T> setting);
    }
}
