// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.util.regex.Pattern;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;

/** What an instance may be called: what a host name's label may be (RFC 1123), beginning with a letter. */
final class Names {
    private static final Pattern NAME = Pattern.compile("[a-z]([a-z0-9-]{0,61}[a-z0-9])?");

    private Names() {}

    static void check(String name) throws InstanceException {
        if (!NAME.matcher(name).matches()) {
            throw new InstanceException(
                    Reason.REFUSED,
                    "\"" + name
                            + "\" is no instance name; expected 1 to 63 lower-case letters, digits and dashes, beginning with"
                            + " a letter and not ending with a dash");
        }
    }
}
