// SPDX-License-Identifier: Apache-2.0
/** The kernel host {@code qemu}: see {@link org.kmorph.hostqemu.QemuHost}. */
package org.kmorph.hostqemu;
