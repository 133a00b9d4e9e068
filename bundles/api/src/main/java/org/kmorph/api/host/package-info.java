// SPDX-License-Identifier: Apache-2.0
/** Kernel hosts: what makes, finds, fences and removes kernels. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.host;

import org.osgi.annotation.versioning.Version;
