// SPDX-License-Identifier: Apache-2.0
/** The daemon's side of the shims: starts them, asks them, fences through them. The protocol is in docs/shim.md. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.shim;

import org.osgi.annotation.versioning.Version;
