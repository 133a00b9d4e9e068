// SPDX-License-Identifier: Apache-2.0
/** The kernel host {@code local}. */
package org.kmorph.hostlocal;
