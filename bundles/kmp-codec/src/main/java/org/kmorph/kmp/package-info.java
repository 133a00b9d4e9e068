// SPDX-License-Identifier: Apache-2.0
/** The Kernel Morphing Protocol's frames: limits, checksum, encoding, streaming decoding. {@code docs/kmp.md} specifies them. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.kmp;

import org.osgi.annotation.versioning.Version;
