// SPDX-License-Identifier: Apache-2.0
/** The messages of KMP and the values of their enumerations: {@code docs/kmp.md}. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.kmp.message;

import org.osgi.annotation.versioning.Version;
