// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

/**
 * Wants to know before its own bundle is restarted together with others, because a package that they use is replaced. A service of that
 * bundle; what it needs is still there while it is called.
 */
public interface RestartListener {
    /**
     * Ends what must not be cut off, within a few seconds, and begins nothing new; the stop follows. Called on a thread of its own.
     * Throws nothing.
     */
    void restarting();
}
