// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Session;

/** What a channel was opened for. */
@FunctionalInterface
interface Work {
    /** Runs on the channel's own thread; an interrupt cancels it. */
    ExitCode run(Session session) throws InterruptedException;
}
