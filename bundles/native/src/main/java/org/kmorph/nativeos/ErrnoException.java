// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

import java.io.IOException;

/** A call of the operating system that failed. The message names all of it: {@code sendto(/run/notify): ENOENT (2)}. */
public final class ErrnoException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int number;

    /**
     * @param call the function, as its manual page is called
     * @param subject what it was called on, for people; may be empty
     * @param number the value of {@code errno}
     */
    public ErrnoException(String call, String subject, int number) {
        super(call
                + (subject.isEmpty() ? "" : "(" + subject + ")")
                + ": "
                + Errno.of(number).map(Errno::name).orElse("error")
                + " ("
                + number
                + ")");
        this.call = call;
        this.number = number;
    }

    /** The function that failed. */
    public String call() {
        return call;
    }

    /** The value of {@code errno}. */
    public int number() {
        return number;
    }

    /** Whether it failed with this error. */
    public boolean is(Errno errno) {
        return number == errno.number();
    }
}
