// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;

/** Commands for one machine's QEMU. */
record Monitor(Transport unix, Path directory) {
    private static final int PAGE_BYTES = 4096;

    /** The machine's state, as QEMU calls it: {@code running}, {@code paused}, {@code guest-panicked}; empty when QEMU does not answer in time. */
    Optional<String> state(Duration patience) throws InterruptedException {
        return ask("query-status", patience).map(answer -> String.valueOf(answer.get("status")));
    }

    /** Asks QEMU to end. @return whether it has taken the command; that it has ended is another's to establish */
    boolean quit(Duration patience) throws InterruptedException {
        return ask("quit", patience).isPresent();
    }

    /** Lets the processors stand still. @return whether they do */
    boolean stop(Duration patience) throws InterruptedException {
        return ask("stop", patience).isPresent();
    }

    /**
     * Has a core file of one page of memory written, for the sake of the registers in it. The processors stand still meanwhile.
     *
     * @param file in the instance's directory
     */
    boolean dumpRegisters(String file, Duration patience) throws InterruptedException {
        Map<String, Object> arguments =
                Map.of("paging", false, "protocol", "file:" + file, "begin", 0, "length", PAGE_BYTES);
        return ask("dump-guest-memory", arguments, patience).isPresent();
    }

    private Optional<Map<?, ?>> ask(String command, Duration patience) throws InterruptedException {
        return ask(command, Map.of(), patience);
    }

    private Optional<Map<?, ?>> ask(String command, Map<String, Object> arguments, Duration patience)
            throws InterruptedException {
        CompletableFuture<Optional<Map<?, ?>>> answer = new CompletableFuture<>();
        Endpoint socket =
                new Endpoint("unix", directory.resolve(Machine.COMMANDS).toString());
        Connection connection = unix.connect(
                socket,
                patience,
                new QmpLine(
                        command,
                        arguments,
                        (from, heard) -> {
                            if (command.equals(heard.get("id"))) {
                                answer.complete(
                                        Optional.ofNullable(heard.get("return")).map(Map.class::cast));
                            }
                        },
                        why -> answer.complete(Optional.empty())));
        try {
            return answer.get(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return Optional.empty();
        } finally {
            connection.close("asked");
        }
    }
}
