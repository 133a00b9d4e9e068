// SPDX-License-Identifier: Apache-2.0
/** The shell around {@link org.kmorph.morph.core}: agents, instances, the journal, and the state that is kept on its way. */
package org.kmorph.morph;
