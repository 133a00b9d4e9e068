// SPDX-License-Identifier: Apache-2.0
/** Instances: what is spawned, what became of it, who is told. */
@Version("1.3.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.instance;

import org.osgi.annotation.versioning.Version;
