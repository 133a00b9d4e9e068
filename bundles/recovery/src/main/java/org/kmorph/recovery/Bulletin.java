// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.util.List;
import java.util.function.Supplier;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.recovery.RecoveryListener;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.recovery.RecoveryState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the log and the listeners where a recovery is. What a listener throws is its own trouble. */
final class Bulletin {
    private static final Logger LOG = LoggerFactory.getLogger(Bulletin.class);

    private final Casebook casebook;
    private final Supplier<List<RecoveryListener>> listeners;

    Bulletin(Casebook casebook, Supplier<List<RecoveryListener>> listeners) {
        this.casebook = casebook;
        this.listeners = listeners;
    }

    /** What it says is in the journal already. */
    void tell(Healing healing) {
        String name = healing.patient().name();
        if (healing.state() == RecoveryState.FAILED) {
            LOG.error("recovery of instance \"{}\": FAILED: {}", name, healing.detail());
        } else {
            LOG.info("recovery of instance \"{}\": {}: {}", name, healing.state(), healing.detail());
        }
        List<RecoveryListener> now = listeners.get();
        if (now.isEmpty()) {
            return;
        }
        try {
            RecoveryReport report =
                    casebook.report(healing.patient().operation().toString());
            for (RecoveryListener listener : now) {
                tell(listener, report);
            }
        } catch (JournalException e) {
            LOG.warn("listeners were not told of the recovery of \"{}\": {}", name, e.getMessage());
        }
    }

    private static void tell(RecoveryListener listener, RecoveryReport report) {
        try {
            listener.changed(report);
        } catch (RuntimeException e) {
            LOG.warn("listener {} failed", listener.getClass().getName(), e);
        }
    }
}
