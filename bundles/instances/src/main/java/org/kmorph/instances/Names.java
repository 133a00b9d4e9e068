// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceSpec;

/** Refuses what no instance may be called. */
final class Names {
    private Names() {}

    static void check(String name) throws InstanceException {
        if (!InstanceSpec.isName(name)) {
            throw new InstanceException(
                    Reason.REFUSED,
                    "\"" + name
                            + "\" is no instance name; expected 1 to 63 lower-case letters, digits and dashes, beginning with"
                            + " a letter and not ending with a dash");
        }
    }
}
