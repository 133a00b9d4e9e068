// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.kmorph.api.daemon.DaemonThreads;

/** A program that is started while something else is done. It writes nothing before it is told to, and ends when this is closed. */
final class Starting implements AutoCloseable {
    private final FutureTask<Program> task;

    Starting(Capturer.Start start) {
        task = new FutureTask<>(start::program);
        new DaemonThreads("vmcore-start").newThread(task).start();
    }

    /** Waits until it has started. @throws IOException when it could not be */
    Program program() throws IOException, InterruptedException {
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw new IOException(cause.getMessage(), cause);
            }
            throw new IOException("kmorph-capture cannot be started: " + e.getCause(), e.getCause());
        }
    }

    @Override
    public void close() {
        boolean interrupted = false;
        while (true) {
            try {
                task.get().close();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                // there is none to end; who needed it was told why
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
