// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Runs programs as the user "nobody", who has no rights of his own. The tests run as root. */
record Unprivileged(Kmorph kmorph) {
    static Unprivileged user(Kmorph kmorph) {
        Programs.run(
                        Path.of("/"),
                        Map.of(),
                        "",
                        List.of(
                                "chmod",
                                "a+rX",
                                kmorph.home().getParent().toString(),
                                kmorph.home().toString()))
                .ok();
        return new Unprivileged(kmorph);
    }

    Result run(String... words) {
        List<String> all = new ArrayList<>(List.of("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"));
        all.addAll(Arrays.asList(words));
        return Programs.run(Path.of("/"), Map.of(), "", all);
    }
}
