// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.policy;

import java.util.Optional;

/** Is told when values may have changed. Register it as a service. Must return soon. */
public interface PolicyListener {
    /** @param instance whose; empty when it may be anybody's */
    void changed(Optional<String> instance);
}
