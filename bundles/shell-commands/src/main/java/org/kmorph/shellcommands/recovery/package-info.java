// SPDX-License-Identifier: Apache-2.0
/** Healing, by hand and on record. */
package org.kmorph.shellcommands.recovery;
