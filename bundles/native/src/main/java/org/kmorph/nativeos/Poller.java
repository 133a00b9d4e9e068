// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

/**
 * Waits for many descriptors at once. One thread watches and waits; {@link #wake} may come from any thread, also after the end.
 * Level-triggered: what is not read is told again.
 */
public interface Poller extends AutoCloseable {
    /** What a descriptor is ready for. An error or a hang-up is both: reading or writing tells which. */
    @FunctionalInterface
    interface Ready {
        void ready(int fd, boolean readable, boolean writable);
    }

    /**
     * Watches a descriptor, or changes what it is watched for. Hang-ups and errors are told whatever is asked for.
     *
     * @throws ErrnoException when the descriptor cannot be watched: a file, or closed
     */
    void watch(int fd, boolean reading, boolean writing) throws ErrnoException;

    /** Watches it no more; to be called before it is closed. One that is not watched is no error. */
    void forget(int fd);

    /**
     * Waits until something is ready, {@link #wake} was called or the time is over, and tells what is ready. A descriptor that was
     * forgotten by an earlier call of the same round may be told still.
     *
     * @param millis how long to wait at most; negative for ever
     */
    void await(int millis, Ready ready) throws ErrnoException;

    /** Lets {@link #await} return, now or when it is next called. */
    void wake();

    /** Gives everything back. Not while {@link #await} runs. Idempotent. */
    @Override
    void close();
}
