// SPDX-License-Identifier: Apache-2.0
package org.kmorph.policy;

import java.util.List;
import org.kmorph.api.policy.PolicySetting;
import org.kmorph.api.policy.PolicyTable;
import org.kmorph.api.policy.StandardPolicy;
import org.osgi.service.component.annotations.Component;

/** The settings that everybody may look at. */
@Component
public final class StandardTable implements PolicyTable {
    @Override
    public List<PolicySetting<?>> settings() {
        return List.of(
                StandardPolicy.PROFILE,
                StandardPolicy.HEARTBEAT_TIMEOUT,
                StandardPolicy.AUTO_HEAL,
                StandardPolicy.MORPH_TIMEOUT);
    }
}
