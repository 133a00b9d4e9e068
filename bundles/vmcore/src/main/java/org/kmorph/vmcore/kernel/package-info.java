// SPDX-License-Identifier: Apache-2.0
/** A kernel's virtual memory, symbols and types, found from its physical memory alone. */
package org.kmorph.vmcore.kernel;
