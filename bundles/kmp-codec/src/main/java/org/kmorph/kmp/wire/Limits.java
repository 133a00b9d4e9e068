// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.wire;

/** What {@code docs/kmp.md} allows at most, under Limits. */
public final class Limits {
    public static final int MAX_PAYLOAD_BYTES = 1 << 20;

    /** With its header such a message stays under 256 bytes: the transport's fast path. */
    public static final int MAX_SMALL_PAYLOAD_BYTES = 223;

    public static final int MAX_ITEMS = 4096;

    public static final int MAX_EXTENTS = 1024;

    /** Of a chunk's data, uncompressed. */
    public static final int MAX_CHUNK_BYTES = 1 << 20;

    public static final int MAX_WINDOW_BYTES = 64 << 20;

    public static final int MAX_REGIONS = 1024;

    /** Unanswered requests of one side of a connection. */
    public static final int MAX_OUTSTANDING = 256;

    public static final int MAX_RELEASE_BYTES = 64;

    public static final int MAX_AGENT_VERSION_BYTES = 16;

    public static final int MAX_NAME_BYTES = 63;

    /** Of PEER: as much as an address of AF_UNIX holds. */
    public static final int MAX_PEER_BYTES = 107;

    /** Of MEMORY_FILE. */
    public static final int MAX_PATH_BYTES = 4095;

    public static final int MAX_TEXT_BYTES = 1024;

    /** Of text in a small message. */
    public static final int MAX_SMALL_TEXT_BYTES = 128;

    public static final int MAX_DIGEST_BYTES = 32;

    /** From a frame's first byte to its last. */
    public static final int FRAME_DEADLINE_MILLIS = 5000;

    /** Where an instance id is expected: none; as an owner: the pool. */
    public static final long NO_INSTANCE = 0xffff_ffffL;

    /** Where a region is expected: all of them. */
    public static final long ALL_REGIONS = 0xffff_ffffL;

    private Limits() {}
}
