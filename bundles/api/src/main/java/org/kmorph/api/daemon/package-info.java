// SPDX-License-Identifier: Apache-2.0
/** The daemon about itself: its directories, its configuration, its bundles. */
@Version("1.2.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.daemon;

import org.osgi.annotation.versioning.Version;
