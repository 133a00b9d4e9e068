// SPDX-License-Identifier: Apache-2.0
/** Byte streams to kernels. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.transport;

import org.osgi.annotation.versioning.Version;
