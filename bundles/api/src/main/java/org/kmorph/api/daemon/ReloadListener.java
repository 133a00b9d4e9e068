// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

/** Wants to know when the configuration is read again. A service; {@link Configurations#reload} calls all there are. */
public interface ReloadListener {
    /** The daemon begins to read its configuration again. Returns at once, throws nothing. */
    void reloading();

    /** It is done with that, whatever came of it. Returns at once, throws nothing. */
    void reloaded();
}
