// SPDX-License-Identifier: Apache-2.0
/** Time and chance as services, so that the simulator can be them. */
@Version("1.2.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.time;

import org.osgi.annotation.versioning.Version;
