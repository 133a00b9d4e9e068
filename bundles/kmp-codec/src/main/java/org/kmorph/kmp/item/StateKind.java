// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

/** Kinds of state. They may grow, so they stay numbers. */
public final class StateKind {
    public static final int MEMORY = 1;

    public static final int FILES = 2;

    public static final int SOCKETS = 3;

    /** The workload's own. */
    public static final int OPAQUE = 4;

    private StateKind() {}
}
