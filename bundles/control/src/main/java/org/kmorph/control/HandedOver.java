// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

/** This door has no engine any longer, and the next one is there: whoever asks is to ask that. */
final class HandedOver extends Exception {
    private static final long serialVersionUID = 1L;

    HandedOver() {
        super("the door was handed over");
    }
}
