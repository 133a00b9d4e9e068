// SPDX-License-Identifier: Apache-2.0
/** Memory of dead kernels: captured, kept and understood. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.vmcore;

import org.osgi.annotation.versioning.Version;
