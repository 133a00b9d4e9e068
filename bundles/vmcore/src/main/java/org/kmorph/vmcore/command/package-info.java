// SPDX-License-Identifier: Apache-2.0
/** The vmcore commands. */
package org.kmorph.vmcore.command;
