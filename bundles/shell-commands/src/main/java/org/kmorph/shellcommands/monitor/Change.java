// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kmorph.api.command.Column;

/**
 * Something that happened to an instance.
 *
 * @param at when
 * @param instance its name
 * @param kind what kind of thing: {@code instance}, {@code health}, {@code trouble}, {@code recovery} …
 * @param text what, for people
 */
record Change(Instant at, String instance, String kind, String text) {
    static final String INSTANCE = "instance";
    static final String HEALTH = "health";
    static final String GONE = "GONE";

    static final List<Column> COLUMNS = List.of(
            Column.of("at", "AT", Column.Kind.INSTANT),
            Column.text("instance", "INSTANCE"),
            Column.text("kind", "KIND"),
            Column.text("text", "WHAT"));

    /** Whether nothing more can happen to it. */
    boolean last() {
        return kind.equals(INSTANCE) && text.equals(GONE);
    }

    Map<String, Object> row() {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("at", at);
        row.put("instance", instance);
        row.put("kind", kind);
        row.put("text", text);
        return row;
    }
}
