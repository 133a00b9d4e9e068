// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

/** Conditions of KMP_HEALTH_STATUS; in {@code trouble}, condition n is bit n. They may grow, so they stay numbers. */
public final class Condition {
    public static final int MEMORY_PRESSURE = 1;

    public static final int WRITER_STUCK = 2;

    public static final int WORKLOAD_ENDED = 3;

    /** The frozen workload was resumed. */
    public static final int LEASE_EXPIRED = 4;

    /** A prepared morph was dropped. */
    public static final int MORPH_EXPIRED = 5;

    private Condition() {}
}
