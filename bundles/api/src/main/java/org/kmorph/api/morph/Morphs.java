// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.morph;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.osgi.annotation.versioning.ProviderType;

/** Replaces running kernels. A service. Thread-safe. One morph of an instance at a time. */
@ProviderType
public interface Morphs {
    /**
     * Makes the successor, moves the state while the workload runs, and has the new kernel try all that can be tried. Afterwards the
     * morph is prepared: it stays so, fresh, until it is committed or rolled back, or expires.
     *
     * @param kernel the new kernel's image
     * @param transfer how its state moves; only with NONE may the workload be one that has registered none
     * @param progress is told what changes; must return soon
     * @throws MorphException when it cannot be; it is rolled back then
     * @throws InterruptedException when cancelled; it is rolled back then
     */
    MorphStatus prepare(
            String instance, Path kernel, StateTransfer transfer, Duration timeout, Consumer<MorphStatus> progress)
            throws MorphException, InterruptedException;

    /** What a morph would come to: made, negotiated, and undone again. */
    MorphStatus dryRun(String instance, Path kernel, StateTransfer transfer, Duration timeout)
            throws MorphException, InterruptedException;

    /** Has the new kernel of a prepared morph try everything again. */
    MorphStatus validate(String instance, Duration timeout) throws MorphException, InterruptedException;

    /** Makes the new kernel of a prepared morph the one that runs the workload. */
    MorphStatus commit(String instance, Duration timeout) throws MorphException, InterruptedException;

    /** Undoes a morph that is not committed, or whose workload has not begun on the new kernel. */
    MorphStatus rollback(String instance) throws MorphException, InterruptedException;

    /** The morph of an instance that is under way, or its last one since this daemon began. */
    Optional<MorphStatus> find(String instance);

    /** Those under way. */
    List<MorphStatus> list();
}
