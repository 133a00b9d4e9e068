// SPDX-License-Identifier: Apache-2.0
/** The durable record: what must survive the daemon. */
@Version("1.1.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.journal;

import org.osgi.annotation.versioning.Version;
