// SPDX-License-Identifier: Apache-2.0
/** The live dashboard: what changes, line by line or full screen. */
package org.kmorph.shellcommands.monitor;
