// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.journal;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Something to be recorded. Its texts are at most {@link #MAX_BYTES} all together.
 *
 * @param kind what sort of record it is: {@code instance}, {@code recovery}, {@code audit}
 * @param key whose state it is within its kind: an instance's name, an operation's id
 * @param instance the instance that it is about, if it is about one
 * @param closes whether it is the last of its key: there is no state any more, only history
 * @param fields what is recorded, by name; the kind's owner defines them and reads unknown ones with tolerance
 */
public record Entry(String kind, String key, Optional<String> instance, boolean closes, Map<String, String> fields) {

    /** The most that kind, key, instance, and the names and values of fields may take together, in bytes of UTF-8. */
    public static final int MAX_BYTES = 64 * 1024;

    public Entry {
        fields = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(fields));
    }

    public static Entry of(String kind, String key, Map<String, String> fields) {
        return new Entry(kind, key, Optional.empty(), false, fields);
    }

    /** The same, about an instance. */
    public Entry about(String instanceName) {
        return new Entry(kind, key, Optional.of(instanceName), closes, fields);
    }

    /** The same, as the last of its key. */
    public Entry closing() {
        return new Entry(kind, key, instance, true, fields);
    }
}
