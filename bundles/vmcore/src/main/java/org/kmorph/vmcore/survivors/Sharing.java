// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.kmorph.vmcore.memory.Extent;

/**
 * How a dead kernel's memory is shared out among survivors, as a pure state machine: no clock, no thread, no I/O. A share is one run of
 * memory; each survivor reads one at a time, and takes the next when it is done. What is missing of the share of a survivor that is lost
 * or does not get on goes to another; where nobody is left, the daemon reads it. Of a survivor that lies nothing is believed.
 *
 * @param survivors who is left, in their order, and what each is at
 * @param waiting runs that nobody reads yet
 * @param unreadable runs that their survivors could not read
 * @param sent what has come from each survivor, be it left or not
 * @param next the number of the next share
 */
record Sharing(
        Map<String, Optional<Share>> survivors,
        List<Extent> waiting,
        List<Extent> unreadable,
        Map<String, List<Extent>> sent,
        long next) {
    /** A survivor of whom nothing has come for so long is given up. */
    static final long STALL_MILLIS = 5_000;

    /** So is one that is slower than this on the whole of its share, beyond {@link #STALL_MILLIS}. */
    static final long LEAST_BYTES_PER_MILLI = 4096;

    /**
     * What a survivor is at.
     *
     * @param received bytes of the run that are here
     * @param startedMillis when it was asked first
     * @param movedMillis when something came last, or it was asked
     * @param resumed whether it was asked again, and nothing has come since
     */
    record Share(long number, Extent run, long received, long startedMillis, long movedMillis, boolean resumed) {
        long dueMillis() {
            return Math.min(
                    movedMillis + STALL_MILLIS, startedMillis + STALL_MILLIS + run.length() / LEAST_BYTES_PER_MILLI);
        }

        Optional<Extent> rest() {
            return received == run.length()
                    ? Optional.empty()
                    : Optional.of(new Extent(run.start() + received, run.length() - received));
        }

        Optional<Extent> here() {
            return received == 0 ? Optional.empty() : Optional.of(new Extent(run.start(), received));
        }
    }

    /** What has happened. */
    sealed interface Event {
        /**
         * More of its share is here.
         *
         * @param offset all of the run before it is
         * @param unreadable what of that could not be read
         */
        record Received(String survivor, long offset, List<Extent> unreadable) implements Event {}

        /** Its share is over, and its digest right. */
        record Finished(String survivor) implements Event {}

        /** It cannot be reached, or does not do what it is asked. */
        record Lost(String survivor, String why) implements Event {}

        /** What it sent is not true. */
        record Lied(String survivor, String why) implements Event {}

        /** Time has passed. */
        record Passed() implements Event {}
    }

    /** What is to be done. */
    sealed interface Action {
        /** Ask for a share, or for the rest of it. @param offset 0, or where to go on */
        record Start(String survivor, long share, Extent run, long offset) implements Action {}

        /** Tell a survivor that its share is not wanted any more. */
        record Stop(String survivor, long share) implements Action {}

        /** It is not asked again. */
        record Dismiss(String survivor, String why) implements Action {}

        /** What is here of this run is not true. */
        record Forget(Extent run) implements Action {}

        /** The daemon reads this run itself. */
        record ReadHere(Extent run) implements Action {}
    }

    /** What follows from an event. */
    record Step(Sharing sharing, List<Action> actions) {}

    Sharing {
        survivors = Collections.unmodifiableMap(new LinkedHashMap<>(survivors));
        waiting = List.copyOf(waiting);
        unreadable = List.copyOf(unreadable);
        sent = Collections.unmodifiableMap(new LinkedHashMap<>(sent));
    }

    /** Begins. @param runs in the order in which they are to be read */
    static Step begin(List<Extent> runs, Collection<String> names, long nowMillis) {
        Map<String, Optional<Share>> survivors = new LinkedHashMap<>();
        names.forEach(name -> survivors.put(name, Optional.empty()));
        Draft draft = new Draft(new Sharing(survivors, runs, List.of(), Map.of(), 0), nowMillis);
        return draft.settle();
    }

    /** Whether all memory is here, but for what the actions of the last step bring. */
    boolean over() {
        return waiting.isEmpty() && survivors.values().stream().allMatch(Optional::isEmpty);
    }

    /** When {@link Event.Passed} has something to say. */
    OptionalLong dueMillis() {
        return running().mapToLong(Share::dueMillis).min();
    }

    /** The share that a survivor is at. */
    Optional<Share> share(String survivor) {
        return survivors.getOrDefault(survivor, Optional.empty());
    }

    private Stream<Share> running() {
        return survivors.values().stream().flatMap(Optional::stream);
    }

    /** @param nowMillis of a clock that never goes back */
    Step on(Event event, long nowMillis) {
        Draft draft = new Draft(this, nowMillis);
        if (event instanceof Event.Received received) {
            draft.received(received);
        } else if (event instanceof Event.Finished finished) {
            draft.finished(finished.survivor());
        } else if (event instanceof Event.Lost lost) {
            draft.lost(lost.survivor(), lost.why());
        } else if (event instanceof Event.Lied lied) {
            draft.lied(lied.survivor(), lied.why());
        } else {
            draft.passed();
        }
        return draft.settle();
    }

    /** The next state while it is made. */
    private static final class Draft {
        private final Map<String, Optional<Share>> survivors;
        private final List<Extent> waiting;
        private final List<Extent> unreadable;
        private final Map<String, List<Extent>> sent;
        private final List<Action> actions = new ArrayList<>();
        private final long now;
        private long next;

        Draft(Sharing from, long now) {
            survivors = new LinkedHashMap<>(from.survivors);
            waiting = new ArrayList<>(from.waiting);
            unreadable = new ArrayList<>(from.unreadable);
            sent = new LinkedHashMap<>(from.sent);
            next = from.next;
            this.now = now;
        }

        private Optional<Share> share(String survivor) {
            return survivors.getOrDefault(survivor, Optional.empty());
        }

        void received(Event.Received event) {
            share(event.survivor()).ifPresent(share -> {
                survivors.put(
                        event.survivor(),
                        Optional.of(new Share(
                                share.number(),
                                share.run(),
                                event.offset(),
                                share.startedMillis(),
                                event.offset() > share.received() ? now : share.movedMillis(),
                                share.resumed() && event.offset() == share.received())));
                event.unreadable().forEach(this::addUnreadable);
            });
        }

        private void addUnreadable(Extent run) {
            int last = unreadable.size() - 1;
            if (last >= 0 && unreadable.get(last).end() == run.start()) {
                Extent before = unreadable.get(last);
                unreadable.set(last, new Extent(before.start(), before.length() + run.length()));
            } else {
                unreadable.add(run);
            }
        }

        void finished(String survivor) {
            share(survivor).ifPresent(share -> {
                keep(survivor, share);
                survivors.put(survivor, Optional.empty());
            });
        }

        private void keep(String survivor, Share share) {
            share.here().ifPresent(run -> {
                List<Extent> all = new ArrayList<>(sent.getOrDefault(survivor, List.of()));
                all.add(run);
                sent.put(survivor, List.copyOf(all));
            });
        }

        /** The first time it may be but the connection: it is asked to go on. */
        void lost(String survivor, String why) {
            Optional<Share> share = share(survivor);
            if (share.isPresent() && !share.get().resumed()) {
                Share one = share.get();
                survivors.put(
                        survivor,
                        Optional.of(
                                new Share(one.number(), one.run(), one.received(), one.startedMillis(), now, true)));
                actions.add(new Action.Start(survivor, one.number(), one.run(), one.received()));
            } else if (survivors.containsKey(survivor)) {
                giveUp(survivor, why);
            }
        }

        private void giveUp(String survivor, String why) {
            share(survivor).ifPresent(share -> {
                keep(survivor, share);
                share.rest().ifPresent(rest -> waiting.add(0, rest));
            });
            survivors.remove(survivor);
            actions.add(new Action.Dismiss(survivor, why));
        }

        void lied(String survivor, String why) {
            List<Extent> untrue = new ArrayList<>(sent.getOrDefault(survivor, List.of()));
            share(survivor).ifPresent(share -> {
                untrue.add(share.run());
                actions.add(new Action.Stop(survivor, share.number()));
            });
            if (survivors.remove(survivor) == null && untrue.isEmpty()) {
                return;
            }
            sent.remove(survivor);
            unreadable.removeIf(run -> untrue.stream().anyMatch(all -> within(run, all)));
            untrue.forEach(run -> actions.add(new Action.Forget(run)));
            waiting.addAll(0, untrue);
            actions.add(new Action.Dismiss(survivor, why));
        }

        private static boolean within(Extent run, Extent all) {
            return run.start() >= all.start() && run.end() <= all.end();
        }

        void passed() {
            for (String survivor : List.copyOf(survivors.keySet())) {
                Optional<Share> late = share(survivor).filter(share -> share.dueMillis() <= now);
                if (late.isPresent()) {
                    actions.add(new Action.Stop(survivor, late.get().number()));
                    giveUp(
                            survivor,
                            late.get().movedMillis() + STALL_MILLIS <= now
                                    ? "nothing came for " + STALL_MILLIS + " ms"
                                    : "it is slower than " + LEAST_BYTES_PER_MILLI * 1000 + " bytes in a second");
                }
            }
        }

        Step settle() {
            survivors.replaceAll((survivor, share) -> share.isPresent() ? share : nextFor(survivor));
            if (survivors.isEmpty()) {
                waiting.forEach(run -> actions.add(new Action.ReadHere(run)));
                waiting.clear();
            }
            if (waiting.isEmpty() && survivors.values().stream().allMatch(Optional::isEmpty)) {
                unreadable.forEach(run -> actions.add(new Action.ReadHere(run)));
                unreadable.clear();
            }
            return new Step(new Sharing(survivors, waiting, unreadable, sent, next), List.copyOf(actions));
        }

        private Optional<Share> nextFor(String survivor) {
            if (waiting.isEmpty()) {
                return Optional.empty();
            }
            Share share = new Share(next++, waiting.remove(0), 0, now, now, false);
            actions.add(new Action.Start(survivor, share.number(), share.run(), 0));
            return Optional.of(share);
        }
    }
}
