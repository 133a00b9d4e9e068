// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

/** Makes {@link Poller}s, for descriptors that the JDK's selectors do not know. Thread-safe. */
public interface Pollers {
    /** A new one. @throws ErrnoException when the process has no descriptors left */
    Poller open() throws ErrnoException;
}
