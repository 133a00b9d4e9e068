// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.time;

/** Chance. Thread-safe. */
public interface Randomness {
    /** 64 random bits. */
    long nextLong();
}
