// SPDX-License-Identifier: Apache-2.0
/** Files that hold a kernel's memory: ELF core files, kdump's compressed format, raw. */
package org.kmorph.vmcore.file;
