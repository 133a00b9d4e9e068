// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import java.time.Instant;
import java.util.Optional;

/** Counts for an outlet what became of its events. Thread-safe. */
final class Tally {
    private final String outlet;
    private long delivered;
    private long failed;
    private long dropped;
    private Instant last;
    private String problem;

    Tally(String outlet) {
        this.outlet = outlet;
    }

    synchronized void delivered(Instant at) {
        delivered++;
        last = at;
        problem = null;
    }

    /** One that is not tried again. */
    synchronized void failed(String why) {
        failed++;
        problem = why;
    }

    synchronized void dropped(long events, String why) {
        dropped += events;
        problem = why;
    }

    /** Something that hinders, of which nothing is lost yet. */
    synchronized void hindered(String why) {
        problem = why;
    }

    synchronized Outlet.Status status(long waiting) {
        return new Outlet.Status(
                outlet, delivered, failed, waiting, dropped, Optional.ofNullable(last), Optional.ofNullable(problem));
    }
}
