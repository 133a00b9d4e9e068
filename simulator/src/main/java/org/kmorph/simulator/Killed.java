// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

/** What a task of a daemon that was killed goes up in: nothing it does has an effect any more. */
final class Killed extends Error {
    private static final long serialVersionUID = 1L;

    Killed(Life life) {
        super(life + " was killed", null, false, false);
    }
}
