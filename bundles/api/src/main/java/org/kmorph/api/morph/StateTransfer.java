// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.morph;

/** How a workload's state goes from the old kernel to the new one. */
public enum StateTransfer {
    /** As it is. */
    PLAIN,
    /** Compressed while the workload runs, where both kernels' agents can; the last of it as it is. */
    COMPRESSED,
    /** Not at all: the workload is ended on the old kernel and begun anew on the new one. */
    NONE
}
