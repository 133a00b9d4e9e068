// SPDX-License-Identifier: Apache-2.0
/** The items that follow a KMP payload's fixed structure: {@code docs/kmp.md}, Items. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.kmp.item;

import org.osgi.annotation.versioning.Version;
