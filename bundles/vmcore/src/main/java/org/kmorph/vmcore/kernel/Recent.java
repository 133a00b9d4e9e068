// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import java.lang.ref.SoftReference;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What was made of the tables that were read last: many instances run the same kernel, and the memory of one is read more than once. A
 * memory may lie about its build, so that what is taken from here has been compared with it, byte for byte. It is held as long as there is
 * memory for it. Thread-safe.
 */
final class Recent<T> {
    /** Builds at once: of a machine's kernels, the old and the new, and one more. */
    private static final int MOST = 3;

    private final Deque<SoftReference<T>> made = new ArrayDeque<>();

    /** The one that is the same, if it is there. */
    synchronized Optional<T> find(Predicate<T> same) {
        made.removeIf(one -> one.get() == null);
        return made.stream()
                .map(SoftReference::get)
                .filter(one -> one != null && same.test(one))
                .findFirst();
    }

    synchronized void add(T one) {
        made.addFirst(new SoftReference<>(one));
        while (made.size() > MOST) {
            made.removeLast();
        }
    }
}
