// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.journal;

import java.time.Instant;
import java.util.Optional;

/**
 * Which records to read.
 *
 * @param kind only this kind
 * @param key only this key
 * @param instance only records about this instance
 * @param since only records written at or after this moment
 * @param after only records with a higher sequence number; 0 for all; the way to read page by page
 * @param newest whether {@code limit} cuts off the oldest rather than the newest; the order stays oldest first
 * @param limit at most so many, 1 to 100,000
 */
public record Query(
        Optional<String> kind,
        Optional<String> key,
        Optional<String> instance,
        Optional<Instant> since,
        long after,
        boolean newest,
        int limit) {

    /** The most records that one read answers with. */
    public static final int MAX_LIMIT = 100_000;

    public Query {
        if (limit < 1 || limit > MAX_LIMIT) {
            throw new IllegalArgumentException("limit is " + limit + "; it must be 1 to " + MAX_LIMIT);
        }
    }

    /** Everything, oldest first, up to 1,000 records. */
    public static Query all() {
        return new Query(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), 0, false, 1_000);
    }

    public Query kind(String value) {
        return new Query(Optional.of(value), key, instance, since, after, newest, limit);
    }

    public Query key(String value) {
        return new Query(kind, Optional.of(value), instance, since, after, newest, limit);
    }

    public Query instance(String value) {
        return new Query(kind, key, Optional.of(value), since, after, newest, limit);
    }

    public Query since(Instant value) {
        return new Query(kind, key, instance, Optional.of(value), after, newest, limit);
    }

    public Query after(long sequence) {
        return new Query(kind, key, instance, since, sequence, newest, limit);
    }

    /** The newest {@code count} of what matches. */
    public Query newest(int count) {
        return new Query(kind, key, instance, since, after, true, count);
    }

    public Query limit(int count) {
        return new Query(kind, key, instance, since, after, newest, count);
    }
}
