// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.dropped;

/** A component that cannot be activated. */
public final class FailingCommand {
    public FailingCommand() {
        throw new IllegalStateException("the moon is not full");
    }
}
