// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.util.Optional;
import org.kmorph.api.instance.InstanceState;

/**
 * The life of an instance as a pure state machine: which event moves it where, and what a daemon that finds it in the journal
 * after a restart has to do.
 *
 * <pre>
 *   spawn ──> STARTING ──started──> RUNNING
 *                │ failed              │ end ───── not adopted ──> HELD
 *                ▼                     ▼
 *             FENCING <────────────────┘        HELD ──end──> FENCING
 *                │ fenced      └─ not confirmed ──> HELD
 *                ▼
 *             FENCED ──release──> RELEASING ──released──> (gone)
 *                                     └─ failed ──> HELD
 * </pre>
 */
final class Lifecycle {
    private Lifecycle() {}

    /** What happens to an instance. */
    enum Event {
        /** Its host has started the kernel. */
        STARTED,
        /** Its host could not start it; what there may be of it must be removed. */
        START_FAILED,
        /** It is to run no more. */
        END,
        /** Its host is certain that it runs no more. */
        FENCED,
        /** Its host cannot be certain. */
        FENCE_UNCONFIRMED,
        /** A daemon that was started cannot find out whether it runs. */
        NOT_ADOPTED,
        /** All it had is to be given back. */
        RELEASE,
        /** Giving back failed. */
        RELEASE_FAILED
    }

    /** What to do first with an instance that a former daemon left in a state. */
    enum Resumption {
        /** Ask the host whether it runs, and take it over. */
        ADOPT,
        /** Nobody was told that it exists: remove it. */
        REMOVE,
        /** Go on fencing; what comes after is for whoever began it. */
        FENCE,
        /** Leave it to whoever had it fenced. */
        KEEP,
        /** Go on giving back. */
        RELEASE
    }

    /** The state after the event; empty when the event is not legal in that state. */
    static Optional<InstanceState> after(InstanceState state, Event event) {
        return Optional.ofNullable(
                switch (event) {
                    case STARTED -> state == InstanceState.STARTING ? InstanceState.RUNNING : null;
                    case START_FAILED -> state == InstanceState.STARTING ? InstanceState.FENCING : null;
                    case END ->
                        switch (state) {
                            case STARTING, RUNNING, FENCING, HELD -> InstanceState.FENCING;
                            case FENCED, RELEASING -> null;
                        };
                    case FENCED -> state == InstanceState.FENCING ? InstanceState.FENCED : null;
                    case FENCE_UNCONFIRMED -> state == InstanceState.FENCING ? InstanceState.HELD : null;
                    case NOT_ADOPTED -> state == InstanceState.RUNNING ? InstanceState.HELD : null;
                    case RELEASE ->
                        switch (state) {
                            case FENCED, RELEASING -> InstanceState.RELEASING;
                            case STARTING, RUNNING, FENCING, HELD -> null;
                        };
                    case RELEASE_FAILED -> state == InstanceState.RELEASING ? InstanceState.HELD : null;
                });
    }

    /**
     * What a daemon does first with an instance that it finds in this state.
     *
     * @param terminating whether its end was asked for by a person, who wants all of it gone
     */
    static Resumption resumption(InstanceState state, boolean terminating) {
        return switch (state) {
            case STARTING -> Resumption.REMOVE;
            case RUNNING -> Resumption.ADOPT;
            case FENCING -> terminating ? Resumption.REMOVE : Resumption.FENCE;
            case FENCED -> terminating ? Resumption.REMOVE : Resumption.KEEP;
            case RELEASING -> Resumption.RELEASE;
            case HELD -> Resumption.KEEP;
        };
    }
}
