// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

/** Bits of {@link Capabilities}. */
public final class Capability {
    /** Runs workloads, and knows phase RETIRE. */
    public static final long WORKLOAD = 1;

    /** Takes part in recoveries. */
    public static final long RECOVER = 1 << 1;

    /** Can read a dead instance's memory. */
    public static final long VMCORE = 1 << 2;

    public static final long MORPH_SOURCE = 1 << 3;

    public static final long MORPH_TARGET = 1 << 4;

    public static final long ZSTD = 1 << 5;

    public static final long XXH64 = 1 << 6;

    /** Tracks dirty pages by userfaultfd write protection. */
    public static final long TRACK_UFFD_WP = 1 << 7;

    public static final long TRACK_SOFT_DIRTY = 1 << 8;

    /** Tracks dirty pages by their hashes. */
    public static final long TRACK_HASH = 1 << 9;

    private Capability() {}
}
