// SPDX-License-Identifier: Apache-2.0
/**
 * The transport to local instances: Unix stream sockets, all on one {@link org.kmorph.transportlocal.EventLoop}. A peer that does
 * not read fills its own bounded queue and nobody else's; deadlines are kept by the same loop.
 */
package org.kmorph.transportlocal;
