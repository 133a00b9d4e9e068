// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.daemon.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads keys on a thread of its own, because a caller's standard input can only be waited for. It takes byte for byte and stops after
 * the key that ends the dashboard: what was typed ahead belongs to whoever reads next.
 */
final class Keyboard implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Keyboard.class);

    private final InputStream in;
    private final BlockingQueue<Key> keys = new ArrayBlockingQueue<>(256);
    private final Thread thread;

    Keyboard(InputStream in) {
        this.in = in;
        thread = new DaemonThreads("monitor keys").newThread(this::read);
        thread.start();
    }

    private void read() {
        KeyParser parser = new KeyParser();
        try {
            Optional<Key> key;
            do {
                key = parser.accept(in.read());
                if (key.isPresent()) {
                    keys.put(key.get());
                }
            } while (key.filter(one -> one.kind() == Key.Kind.QUIT).isEmpty());
        } catch (IOException | InterruptedException e) {
            LOG.debug("no more keys", e);
            if (!keys.offer(Key.of(Key.Kind.QUIT))) {
                LOG.debug("nobody reads the keys");
            }
        }
    }

    /** The next key, waiting so long for one. */
    Optional<Key> next(long nanos) throws InterruptedException {
        return Optional.ofNullable(keys.poll(Math.max(0, nanos), TimeUnit.NANOSECONDS));
    }

    /** Waits until nothing is read any more. */
    @Override
    public void close() throws InterruptedException {
        thread.interrupt();
        thread.join();
    }
}
