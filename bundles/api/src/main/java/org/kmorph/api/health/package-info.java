// SPDX-License-Identifier: Apache-2.0
/** Health: what was heard from an instance and what it means. */
@Version("1.2.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.health;

import org.osgi.annotation.versioning.Version;
