// SPDX-License-Identifier: Apache-2.0
/**
 * The transport to kernels. Package {@code stream} is the vsock stream as a pure state machine, package {@code ring} one side of the
 * shared memory of {@code kernel/include/kerf_ring.h}; this package joins them to descriptors, to the clock and to AF_VSOCK sockets,
 * all on one {@link org.kmorph.transportvsock.Loop}.
 */
package org.kmorph.transportvsock;
