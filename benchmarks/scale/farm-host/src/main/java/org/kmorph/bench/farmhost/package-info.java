// SPDX-License-Identifier: Apache-2.0
/** The kernel host of the scale benchmark. */
package org.kmorph.bench.farmhost;
