// SPDX-License-Identifier: Apache-2.0
/** The pieces of a KMP payload: integers, text, operations, with their bounds. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.kmp.wire;

import org.osgi.annotation.versioning.Version;
