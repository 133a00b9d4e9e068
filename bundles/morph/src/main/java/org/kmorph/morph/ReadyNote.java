// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.util.Optional;
import java.util.function.Supplier;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.morph.core.Mark;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes of a moment in which others stand still. One whose wording is known before is made ready before, and only written then; docs/morph.md
 * says when it is. Thread-safe.
 */
final class ReadyNote {
    private static final Logger LOG = LoggerFactory.getLogger(ReadyNote.class);

    private final Supplier<Journal> journal;
    private final Supplier<Plan> plan;
    private volatile Optional<Made> made = Optional.empty();

    private record Made(Journal to, Mark mark, String why, Journal.Noting noting) {
        boolean is(Journal journal, Mark wanted, String because) {
            return to == journal && mark == wanted && why.equals(because);
        }
    }

    ReadyNote(Supplier<Journal> journal, Supplier<Plan> plan) {
        this.journal = journal;
        this.plan = plan;
    }

    /** Nothing of it is written. */
    void make(Mark mark, String why) {
        Journal to = journal.get();
        try {
            made = Optional.of(
                    new Made(to, mark, why, to.ready(plan.get().marked(mark).entry(why))));
        } catch (JournalException e) {
            LOG.debug("what cannot be written is found to be so when it is to be", e);
        }
    }

    /** It survives this daemon when the call returns. */
    void write(Mark mark, String why) throws JournalException {
        Journal to = journal.get();
        Optional<Made> ready = made.filter(one -> one.is(to, mark, why));
        if (ready.isPresent()) {
            ready.get().noting().note();
        } else {
            to.note(plan.get().marked(mark).entry(why));
        }
    }
}
