// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.journal;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The durable record of everything that must survive the daemon: instances, policies, recoveries, morphs, the audit log.
 *
 * <p>A record belongs to a <em>kind</em> and a <em>key</em> within it ({@code instance}, {@code web}). The newest record of a
 * key is its state and is kept until it is closed; older ones are history and are kept as long as the configuration says.
 * Thread-safe.
 */
@ProviderType
public interface Journal {
    /** The most entries that one append takes. */
    int MAX_APPEND = 1_000;

    /** A read ends early once its records take this many bytes; see {@link #read}. */
    int MAX_READ_BYTES = 16 * 1024 * 1024;

    /**
     * Writes entries, all or none. They are on disk, in order, when this returns.
     *
     * @param entries 1 to {@value #MAX_APPEND}
     * @return the sequence number of the last one
     * @throws JournalException when they could not be made durable: nothing was written, and the message says why (disk full,
     *     an entry over its limit)
     */
    long append(List<Entry> entries) throws JournalException;

    /**
     * Writes an entry that survives the death of this daemon when the call returns, though perhaps not that of the machine; it is on disk
     * with the next {@link #append} at the latest. For what means nothing any more when the machine has died: which of two kernels of
     * this machine runs a workload.
     * Does not wait for the disk, nor for appends that do.
     *
     * @throws JournalException when it could not be written, and the message says why
     */
    default void note(Entry entry) throws JournalException {
        append(entry);
    }

    /**
     * Makes all of a note but the writing, for a moment in which nobody is to wait for more than that. Nothing is written before
     * {@link Noting#note}, which does what {@link #note} does; it is for as long as this journal is there.
     *
     * @throws JournalException when the entry could never be written, and the message says why
     */
    default Noting ready(Entry entry) throws JournalException {
        return () -> note(entry);
    }

    /** A note that is ready to be written. Thread-safe. */
    @FunctionalInterface
    interface Noting {
        /** @throws JournalException when it could not be written, and the message says why */
        void note() throws JournalException;
    }

    /** {@link #append(List)} of one. */
    default long append(Entry entry) throws JournalException {
        return append(List.of(entry));
    }

    /**
     * The records that the query asks for, in the order in which they were written, at most {@link Query#limit}. What would
     * take more than {@link #MAX_READ_BYTES} is cut off as by a lower limit: to see everything, ask again with
     * {@link Query#after} the last one until the answer is empty.
     *
     * @throws JournalException when it could not be read, or when what was read is not what was written
     */
    List<JournalRecord> read(Query query) throws JournalException;

    /**
     * The newest record of each key of a kind that is not closed, in the order of their writing; never only a part of them.
     *
     * @throws JournalException when it could not be read, when what was read is not what was written, or when the answer would
     *     take more than {@link #MAX_READ_BYTES}
     */
    List<JournalRecord> latest(String kind) throws JournalException;
}
