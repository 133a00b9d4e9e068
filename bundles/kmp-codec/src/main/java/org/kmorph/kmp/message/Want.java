// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

/** What a heartbeat request wants beside the fixed figures: bits of {@code wants}. */
public final class Want {
    public static final int KERNEL_RELEASE = 1;

    public static final int CAPABILITIES = 1 << 1;

    public static final int AGENT_VERSION = 1 << 2;

    public static final int WORKLOAD = 1 << 3;

    public static final int OPERATION = 1 << 4;

    private Want() {}
}
