// SPDX-License-Identifier: Apache-2.0
/** Typed values of a dead kernel. */
package org.kmorph.vmcore.expression;
