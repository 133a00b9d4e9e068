// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.host;

import java.nio.file.Path;

/**
 * A run of a kernel's physical memory, readable from a file.
 *
 * @param physicalAddress where it begins, in bytes
 * @param length in bytes
 * @param file the file that holds it
 * @param fileOffset where in the file it begins, in bytes
 */
public record MemoryRange(long physicalAddress, long length, Path file, long fileOffset) {}
