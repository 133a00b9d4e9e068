// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

/** What may go wrong in a world. Which of it does, its seed says. */
enum Trouble {
    KERNEL_DIES,
    KERNEL_DIES_UNSEEN,
    KERNEL_STANDS_STILL,
    AGENT_DIES,
    MANY_DIE,
    CRASH_LOOP,
    LINE_CUT,
    LINE_BAD,
    HALF_OPEN,
    DAEMON_KILLED,
    DAEMON_KILLED_BETWEEN_TWO_DEEDS,
    DAEMON_STANDS_STILL,
    RECOVERY_REPLACED,
    REGISTRY_REPLACED,
    MONITOR_REPLACED,
    HOST_REPLACED,
    CLIENT_REPLACED,
    POWER_FAILS,
    DISK_FULL,
    DISK_SLOW,
    DISK_LIES,
    SLOW_BOOT,
    START_FAILS,
    FENCE_FAILS,
    ADOPTION_FAILS,
    RELEASE_FAILS,
    CAPTURE_FAILS,
    WALL_CLOCK_JUMPS,
    OPERATOR_RECOVERS,
    OPERATOR_TERMINATES,
    OPERATOR_SPAWNS,
    MORPH_REPLACED(true),
    TARGET_REFUSES(true),
    TRANSFER_FAILS(true);

    private final boolean ofMoves;

    Trouble() {
        this(false);
    }

    Trouble(boolean ofMoves) {
        this.ofMoves = ofMoves;
    }

    /** Whether it is of worlds with morphs alone. */
    boolean ofMoves() {
        return ofMoves;
    }
}
