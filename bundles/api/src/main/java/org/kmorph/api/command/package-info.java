// SPDX-License-Identifier: Apache-2.0
/** Commands: how they are declared, who may run them, what they see of their caller. */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.command;

import org.osgi.annotation.versioning.Version;
