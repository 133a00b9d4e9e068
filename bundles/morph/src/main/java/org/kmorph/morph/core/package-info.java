// SPDX-License-Identifier: Apache-2.0
/**
 * The morph as a pure state machine: {@link org.kmorph.morph.core.MorphCore} turns what happened into the step to be taken next. No I/O, no
 * clock, no thread. docs/morph.md tells its rules.
 */
package org.kmorph.morph.core;
