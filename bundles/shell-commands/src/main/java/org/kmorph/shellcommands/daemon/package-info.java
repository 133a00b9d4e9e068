// SPDX-License-Identifier: Apache-2.0
/** The commands about the daemon itself: its life, its configuration, its bundles, its audit log, its shell. */
package org.kmorph.shellcommands.daemon;
