// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.instance;

import java.time.Instant;
import java.util.Optional;

/**
 * An instance at one moment.
 *
 * @param id 1 and up; not used again while anything of its former bearer lives
 * @param spec what was asked for
 * @param state where it is in its life
 * @param since when it came to that state
 * @param detail why it is there, for people; may be empty
 * @param contextId its vsock context id (CID)
 * @param kernelRelease the release of its kernel, once known
 * @param kernelReleaseSource how the release is known: {@code image} read from the file, {@code kernel} told by itself
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
        Optional<String> kernelRelease,
        String kernelReleaseSource,
        Optional<org.kmorph.api.transport.Endpoint> endpoint,
        java.util.List<String> notIsolated) {

    public String name() {
        return spec.name();
    }
}
