// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.recovery;

/** Is told of each step of every recovery, after it is in the journal. Register it as a service. Must return soon. */
public interface RecoveryListener {
    void changed(RecoveryReport report);
}
