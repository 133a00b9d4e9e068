// SPDX-License-Identifier: Apache-2.0
/** Kernel image files, as the boot protocol and ELF lay them out. Pure but for reading the file. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.kernelimage;

import org.osgi.annotation.versioning.Version;
