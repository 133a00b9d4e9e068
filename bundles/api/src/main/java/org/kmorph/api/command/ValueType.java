// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

/** What the value of an argument may be; anything else is a usage error that names the argument and what it takes. */
public enum ValueType {
    /** No value: given or not. */
    FLAG,
    /** {@code true} or {@code false}; given without a value it is {@code true}. */
    BOOLEAN,
    /** Any text. */
    TEXT,
    /** A whole number. */
    INTEGER,
    /** A span of time: {@code 250ms}, {@code 10s}, {@code 10m}, {@code 2h}, {@code 7d}; a bare number is seconds, {@code 0.25} too. */
    DURATION,
    /** A moment: ISO 8601, or a span as in {@link #DURATION} meaning so long ago. */
    INSTANT,
    /** A number of bytes: {@code 512}, {@code 128M}, {@code 1G} (powers of 1024). */
    BYTES,
    /** A file's path; relative ones are relative to the caller's working directory. */
    PATH,
    /** One of the declared choices. */
    CHOICE
}
