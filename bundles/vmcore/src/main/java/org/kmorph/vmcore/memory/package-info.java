// SPDX-License-Identifier: Apache-2.0
/** A kernel's physical memory as its readers see it: whole pages, bounded caches. */
package org.kmorph.vmcore.memory;
