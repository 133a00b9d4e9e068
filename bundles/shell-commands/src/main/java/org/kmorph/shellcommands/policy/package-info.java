// SPDX-License-Identifier: Apache-2.0
/** The commands about policies. */
package org.kmorph.shellcommands.policy;
