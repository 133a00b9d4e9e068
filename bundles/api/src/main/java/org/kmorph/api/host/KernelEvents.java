// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.host;

/** What a host tells unasked of a kernel. Called from the host's threads; returns soon. */
public interface KernelEvents {
    /** The kernel has ended or panicked without being asked; for people, with status and time. May come more than once. */
    void ended(String how);
}
