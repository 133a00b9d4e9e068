// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;

/** The kernel hosts there are now. Of two of one name, which happens while a host's bundle is replaced, the newer counts. */
final class Hosts {
    private final Map<String, KernelHost> byName = new ConcurrentHashMap<>();

    void add(KernelHost host) {
        byName.put(host.name(), host);
    }

    void remove(KernelHost host) {
        byName.remove(host.name(), host);
    }

    Optional<KernelHost> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    KernelHost get(String name) throws InstanceException {
        return find(name)
                .orElseThrow(() -> new InstanceException(
                        Reason.NOT_NOW,
                        "there is no host \"" + name + "\"; there are "
                                + String.join(", ", new TreeSet<>(byName.keySet()))));
    }
}
