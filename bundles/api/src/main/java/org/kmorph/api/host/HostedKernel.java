// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.host;

import java.util.List;
import java.util.Optional;
import org.kmorph.api.transport.Endpoint;

/**
 * A kernel that a host has started or found.
 *
 * @param running whether it runs
 * @param ended how it ended, where it has: exit status and time, for people
 * @param endpoint where its agent listens
 * @param notIsolated what it could not be isolated from, for people
 */
public record HostedKernel(boolean running, Optional<String> ended, Endpoint endpoint, List<String> notIsolated) {
    public HostedKernel {
        notIsolated = List.copyOf(notIsolated);
    }
}
