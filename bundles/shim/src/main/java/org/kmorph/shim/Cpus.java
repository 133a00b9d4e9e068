// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shim;

import java.util.Optional;
import java.util.regex.Pattern;
import org.kmorph.api.host.HostException;

/**
 * What {@code --cpus} says: how many processors, or which.
 *
 * @param count how many, when no list was given
 * @param list which, as {@code 4-7,9}
 */
public record Cpus(Optional<Integer> count, Optional<String> list) {
    private static final Pattern COUNT = Pattern.compile("[1-9][0-9]{0,3}");
    private static final Pattern LIST = Pattern.compile("[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*");

    /** @throws HostException for anything else */
    public static Cpus parse(String text) throws HostException {
        if (COUNT.matcher(text).matches()) {
            return new Cpus(Optional.of(Integer.parseInt(text)), Optional.empty());
        }
        if (LIST.matcher(text).matches()) {
            return new Cpus(Optional.empty(), Optional.of(text));
        }
        throw new HostException("--cpus is \"" + text + "\"; expected how many, as 2, or a list, as 4-7,9"
                + " (one processor by its number: 4-4)");
    }

    /** How many processors these are. */
    public int number() {
        return count.orElseGet(() -> {
            int number = 0;
            for (String range : list.orElse("").split(",")) {
                String[] ends = range.split("-");
                number += Integer.parseInt(ends[ends.length - 1]) - Integer.parseInt(ends[0]) + 1;
            }
            return number;
        });
    }
}
