// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.vmcore;

import java.nio.file.Path;
import java.time.Instant;

/**
 * A memory that was captured whole, and what it was understood to be.
 *
 * @param instance the name of the instance that it was of
 * @param path where it is; beside it lies {@code PATH.sha256}
 * @param at when it was captured
 * @param bytes its length
 * @param verdict what happened, one paragraph for people; says so where that cannot be known
 * @param signature the same for two memories of the same bug, hexadecimal; empty where there is none
 */
public record Capture(String instance, Path path, Instant at, long bytes, String verdict, String signature) {}
