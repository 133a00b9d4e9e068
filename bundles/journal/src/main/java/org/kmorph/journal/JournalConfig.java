// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** What {@code etc/org.kmorph.journal.cfg} says; the comments of that file explain each. */
@ObjectClassDefinition(
        name = "kmorph journal",
        description = "How long history is kept, and how large the journal grows")
@interface JournalConfig {
    @AttributeDefinition(
            name = "history.days",
            description = "history of all kinds without a setting of their own is kept for so many days",
            min = "1",
            max = "36500")
    int history_days() default 30;

    @AttributeDefinition(
            name = "history.records",
            description = "at most so many records of history are kept of each kind but audit",
            min = "100",
            max = "10000000")
    int history_records() default 100_000;

    @AttributeDefinition(
            name = "audit.days",
            description = "the audit log is kept for so many days",
            min = "1",
            max = "36500")
    int audit_days() default 365;

    @AttributeDefinition(
            name = "kind.days",
            description = "kinds with a setting of their own: kind=days, with commas between them")
    String kind_days() default "";

    @AttributeDefinition(
            name = "size.mb",
            description = "the journal's file never grows over so many MiB; from three quarters on, history goes early",
            min = "8",
            max = "65536")
    int size_mb() default 256;
}
