// SPDX-License-Identifier: Apache-2.0
/** Commands about morphs. */
package org.kmorph.shellcommands.morph;
