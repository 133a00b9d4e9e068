// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands;

import java.lang.reflect.Proxy;

/** Stands in for interfaces of which a test needs little. */
public final class Fakes {
    private Fakes() {}

    /** What a method gives, by its name and its first argument, which is "" where it has none. */
    @FunctionalInterface
    public interface Answer {
        Object to(String method, Object argument);
    }

    public static <T> T fake(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> answer.to(method.getName(), arguments == null ? "" : arguments[0])));
    }
}
