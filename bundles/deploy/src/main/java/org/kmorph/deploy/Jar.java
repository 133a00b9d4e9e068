// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.nio.file.Path;
import org.osgi.framework.Version;

/**
 * A jar that was verified whole.
 *
 * @param file our own copy, which nobody changes any more
 * @param source where it came from, for people
 * @param symbolicName the bundle in it
 * @param version its version
 * @param digest SHA-256 of its bytes, in hexadecimal
 */
record Jar(Path file, Path source, String symbolicName, Version version, String digest) {
    /** Where the framework is told that it is from: the same bytes have the same place, whoever installs them. */
    String location() {
        return Deployer.LOCATION + symbolicName + ":" + digest;
    }
}
