// SPDX-License-Identifier: Apache-2.0
/** Recovery: how failed instances are healed, and what is told of it. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.recovery;

import org.osgi.annotation.versioning.Version;
