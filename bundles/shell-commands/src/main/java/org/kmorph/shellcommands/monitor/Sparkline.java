// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.util.List;

/** Values over time as a line of blocks. */
final class Sparkline {
    private static final String BLOCKS = "▁▂▃▄▅▆▇█";

    private Sparkline() {}

    /**
     * The newest values, as many as there is room for, the newest at the right.
     *
     * @param values oldest first
     * @param top the value of the highest block; the lowest stands for 0
     * @return exactly {@code width} characters
     */
    static String of(List<Double> values, double top, int width) {
        List<Double> shown = values.subList(Math.max(0, values.size() - width), values.size());
        StringBuilder line = new StringBuilder(" ".repeat(width - shown.size()));
        for (double value : shown) {
            int level = top > 0 ? (int) (value / top * BLOCKS.length()) : 0;
            line.append(BLOCKS.charAt(Math.max(0, Math.min(BLOCKS.length() - 1, level))));
        }
        return line.toString();
    }

    /** The highest of the values that {@link #of} would show. */
    static double top(List<Double> values, int width) {
        return values.subList(Math.max(0, values.size() - width), values.size()).stream()
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(0);
    }
}
