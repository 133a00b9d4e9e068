// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.recovery;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.instance.InstanceException;
import org.osgi.annotation.versioning.ProviderType;

/** The healing of instances. Thread-safe. */
@ProviderType
public interface Recoveries {
    /**
     * The recoveries on record, oldest first, those under way included; at most the newest 1,000.
     *
     * @param instance only of this name
     * @param since only those that were under way at or after this moment
     * @throws java.io.IOException when the journal cannot be read
     */
    List<RecoveryReport> log(Optional<String> instance, Optional<Instant> since) throws java.io.IOException;

    /** What {@link #recover} would do with an instance, step by step, for people. @throws InstanceException when there is none */
    List<String> plan(String instance) throws InstanceException;

    /**
     * Recovers an instance now, whether it has failed or not, and waits until that is over. What is under way already is joined.
     *
     * @param by who asks, for the record
     * @throws InstanceException when there is no such instance, or the time is over; the recovery goes on then
     */
    RecoveryReport recover(String instance, String by, Duration timeout) throws InstanceException, InterruptedException;
}
