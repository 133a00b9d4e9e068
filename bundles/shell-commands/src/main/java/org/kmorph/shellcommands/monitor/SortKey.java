// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Stream;
import org.kmorph.api.health.Health;

/** By what the dashboard can be sorted: what needs a person's eye comes first. Rows that are alike are sorted by name. */
enum SortKey {
    HEALTH('h', Comparator.comparingInt(row -> urgency(row.health()))),
    NAME('n', Comparator.comparing(Row::name)),
    ID('i', Comparator.comparingInt(row -> row.instance().id())),
    CPU('c', highestFirst(Row::cpu)),
    MEMORY('m', highestFirst(Row::memory)),
    RTT('r', highestFirst(Row::roundTripMillis)),
    MISSED('x', Comparator.comparingLong(Row::missed).reversed());

    private final char letter;
    private final Comparator<Row> order;

    SortKey(char letter, Comparator<Row> order) {
        this.letter = letter;
        this.order = order;
    }

    private static Comparator<Row> highestFirst(Function<Row, OptionalDouble> figure) {
        return Comparator.comparingDouble(row -> -figure.apply(row).orElse(-1));
    }

    private static int urgency(Health health) {
        return switch (health) {
            case FAILED -> 0;
            case AGENT_DEAD -> 1;
            case SUSPECT -> 2;
            case UNKNOWN -> 3;
            case HEALTHY -> 4;
        };
    }

    /** As {@code --sort} takes it. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static SortKey of(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }

    static Optional<SortKey> of(char letter) {
        return Stream.of(values()).filter(key -> key.letter == letter).findFirst();
    }

    char letter() {
        return letter;
    }

    Comparator<Row> order(boolean reversed) {
        return (reversed ? order.reversed() : order).thenComparing(Row::name);
    }
}
