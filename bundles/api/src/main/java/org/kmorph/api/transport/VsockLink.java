// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.transport;

import java.nio.file.Path;

/**
 * A link to a kernel that shares memory with this machine, and that this machine's own kernel does not know of. Its host registers it
 * as a service as long as the kernel is there; the transport of scheme {@code vsock} then reaches the kernel's context id by it.
 *
 * @param contextId of the kernel
 * @param id the kernel's number on the link
 * @param keeper the socket of the shim that keeps memory and doorbells (docs/shim.md)
 */
public record VsockLink(long contextId, int id, Path keeper) {}
