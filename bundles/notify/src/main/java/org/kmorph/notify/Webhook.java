// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.time.TimeSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Posts each event as JSON to one web address, in order. What the receiver does not take is tried again, with growing waits, until it
 * does; it waits in a {@link Spool}, which outlives the daemon. Only what it refuses for good (a status of 400 to 499 but 408, 425 and
 * 429) is given up, with an error in the log. Redirects are not followed.
 */
final class Webhook implements Outlet {
    static final String NAME = "webhook";

    private static final Logger LOG = LoggerFactory.getLogger(Webhook.class);

    private static final Duration FIRST_WAIT = Duration.ofSeconds(1);
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);
    private static final Set<Integer> TRY_AGAIN = Set.of(408, 425, 429);

    private final Target target;
    private final Spool spool;
    private final TimeSource time;
    private final Tally tally = new Tally(NAME);
    private final HttpClient client;
    private final Thread sender;

    /**
     * Where it goes.
     *
     * @param authorization a file whose first line is sent as the header {@code Authorization}; read anew for each event
     * @param atMost how long the receiver may take with one event
     */
    record Target(URI address, Optional<Path> authorization, Duration atMost) {
        /** @throws IllegalArgumentException when it is no web address */
        static URI address(String text) {
            URI address = URI.create(text);
            String scheme = String.valueOf(address.getScheme());
            if (!scheme.matches("https?") || address.getHost() == null) {
                throw new IllegalArgumentException("\"" + text + "\" is no http or https address");
            }
            return address;
        }
    }

    /** Begins, with what is in the spool. */
    Webhook(Target target, Spool spool, TimeSource time) {
        this.target = target;
        this.spool = spool;
        this.time = time;
        client = HttpClient.newBuilder()
                .connectTimeout(target.atMost())
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
        sender = new DaemonThreads("kmorph-notify-webhook").newThread(this::run);
        sender.start();
    }

    @Override
    public void take(Event event) {
        try {
            int gone = spool.add(event.json());
            if (gone > 0) {
                String why = "the spool is full; the oldest event was dropped";
                LOG.error("webhook {}: {}", target.address(), why);
                tally.dropped(gone, why);
            }
        } catch (IOException e) {
            LOG.error("webhook {}: {} is dropped, for it cannot be written: {}", target.address(), event, e.toString());
            tally.dropped(1, e.toString());
        }
    }

    private void run() {
        Duration wait = FIRST_WAIT;
        try {
            while (true) {
                long number = spool.awaitOldest();
                if (deliver(number)) {
                    wait = FIRST_WAIT;
                } else {
                    time.sleep(wait);
                    Duration doubled = wait.multipliedBy(2);
                    wait = doubled.compareTo(LONGEST_WAIT) < 0 ? doubled : LONGEST_WAIT;
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("stopped");
        }
    }

    /** @return false when it is to be tried again */
    private boolean deliver(long number) throws InterruptedException {
        try {
            int status = post(spool.read(number));
            if (status / 100 == 2) {
                tally.delivered(time.now());
            } else if (status / 100 == 4 && !TRY_AGAIN.contains(status)) {
                LOG.error("webhook {} refuses an event with status {}; it is given up", target.address(), status);
                tally.failed("refused with status " + status);
            } else {
                hindered("answered with status " + status);
                return false;
            }
            spool.remove(number);
            return true;
        } catch (NoSuchFileException e) {
            return true; // gone meanwhile, and said so
        } catch (IOException e) {
            hindered(e.toString());
            return false;
        }
    }

    private int post(byte[] event) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(target.address())
                .timeout(target.atMost())
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(event));
        if (target.authorization().isPresent()) {
            authorize(request, target.authorization().get());
        }
        return client.send(request.build(), BodyHandlers.discarding()).statusCode();
    }

    /** What goes wrong here is said without the secret: who may read the log or the status need not know it. */
    private static void authorize(HttpRequest.Builder request, Path file) throws IOException {
        String secret = secret(file);
        try {
            request.header("Authorization", secret);
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    "the first line of " + file + " cannot be the value of a header; printable ASCII is expected");
        }
    }

    private static String secret(Path file) throws IOException {
        if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
            throw new IOException(file + " may be read by everybody; chmod o-r it");
        }
        return Files.readAllLines(file).stream()
                .findFirst()
                .map(String::strip)
                .orElseThrow(() -> new IOException(file + " is empty; its first line must be the header's value"));
    }

    private void hindered(String why) {
        LOG.warn("webhook {}: {}; {} events wait", target.address(), why, spool.size());
        tally.hindered(why);
    }

    @Override
    public Status status() {
        return tally.status(spool.size());
    }

    @Override
    public void close() {
        sender.interrupt();
        try {
            sender.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
