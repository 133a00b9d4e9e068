// SPDX-License-Identifier: Apache-2.0
/** Morphs: a running kernel replaced by a newer one while its work goes on. */
@Version("1.1.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.morph;

import org.osgi.annotation.versioning.Version;
