// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.util.ArrayList;
import java.util.List;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.journal.JournalException;

/** What a recovery would do, in words. */
final class Plan {
    private Plan() {}

    static List<String> of(Instance instance, Treatment treatment, Casebook casebook) throws JournalException {
        String name = instance.name();
        List<String> steps = new ArrayList<>();
        steps.add("PREPARING_RECOVERY: tell the other running instances that " + name + " (id " + instance.id()
                + ") is about to be fenced; each has " + Survivors.DEADLINE.toMillis() + " ms to answer");
        steps.add("FENCING: make certain that it runs no more; if that cannot be confirmed, stop there and hold it");
        treatment
                .capture()
                .ifPresent(timeout -> steps.add("CAPTURING_VMCORE: save its memory and say what is found in it, within "
                        + timeout.toSeconds() + " s"));
        steps.add("RECLAIMING_RESOURCES: give back all it had, and tell the others");
        treatment
                .standby()
                .ifPresent(standby -> steps.add(
                        "RESTORING_WORK: \"" + standby + "\" takes its name and its work over; only where it cannot:"));
        if (treatment.action() == Treatment.Action.STOP) {
            steps.add("RECOVERY_COMPLETE: nothing is started in its place (heal-action is stop)");
            return steps;
        }
        int crashes = casebook.crashes(name, treatment.window());
        steps.add("RESTORING_WORK: start it again with "
                + (treatment.fallsBack(crashes)
                        ? treatment.knownGood().orElseThrow()
                        : instance.spec().kernel())
                + "; it has failed " + crashes + " times within "
                + treatment.window().toSeconds() + " s, more than " + treatment.maxCrashes()
                + " would end here");
        return steps;
    }
}
