// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.nio.file.Path;
import org.osgi.framework.Version;

/**
 * A jar that was verified whole.
 *
 * @param file where it lies
 * @param symbolicName the bundle in it
 * @param version its version
 */
record Jar(Path file, String symbolicName, Version version) {}
