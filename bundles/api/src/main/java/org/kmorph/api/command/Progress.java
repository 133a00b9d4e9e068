// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import org.osgi.annotation.versioning.ProviderType;

/** A progress display with rate and time left. Cheap to update from a tight loop: it draws at most ten times a second. */
@ProviderType
public interface Progress extends AutoCloseable {
    /**
     * @param done how far, in the unit of {@code total}
     * @param total how far it goes, or a negative number while that is not known
     * @param unit {@code "B"} for bytes, else a noun: {@code "pages"}
     */
    void update(long done, long total, String unit);

    /** Replaces the text beside the bar. */
    void note(String text);

    /** Takes the display away. */
    @Override
    void close();
}
