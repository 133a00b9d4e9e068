// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.wire;

/** A value of one of the protocol's enumerations. */
public interface Coded {
    /** Its number on the wire. */
    int code();
}
