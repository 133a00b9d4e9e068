// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.instance;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.transport.Endpoint;

/**
 * An instance at one moment.
 *
 * @param id 1 and up; not used again while anything of its former bearer lives
 * @param spec what was asked for
 * @param state where it is in its life
 * @param since when it came to that state
 * @param detail why it is there, for people; may be empty
 * @param contextId its vsock context id (CID)
 * @param imageRelease the kernel release that its image names; what the kernel says of itself comes with its heartbeats
 * @param endpoint where its agent listens, once it was started
 * @param notIsolated what the host could not isolate it from, for people; empty for nothing
 */
public record Instance(
        int id,
        InstanceSpec spec,
        InstanceState state,
        Instant since,
        String detail,
        long contextId,
        String imageRelease,
        Optional<Endpoint> endpoint,
        List<String> notIsolated) {

    public Instance {
        notIsolated = List.copyOf(notIsolated);
    }

    public String name() {
        return spec.name();
    }
}
