// SPDX-License-Identifier: Apache-2.0
/** The commands about instances and their health. */
package org.kmorph.shellcommands.instances;
