// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.journal;

import java.time.Instant;

/**
 * An entry that is on disk.
 *
 * @param sequence its place in the one order of all records; grows, with gaps where history was compacted
 * @param time when it was written, by the wall clock; may go backwards where that clock did
 * @param entry what was written
 */
public record JournalRecord(long sequence, Instant time, Entry entry) {}
