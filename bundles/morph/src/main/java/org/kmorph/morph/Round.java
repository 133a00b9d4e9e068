// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

/**
 * How much a round was, in bytes.
 *
 * @param sent as it went over the wire
 * @param unpacked before it was compressed
 */
record Round(long sent, long unpacked) {
    static final Round NOTHING = new Round(0, 0);
}
