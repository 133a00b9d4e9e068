// SPDX-License-Identifier: Apache-2.0
/**
 * The daemon's side of the Kernel Morphing Protocol ({@code docs/kmp.md}): what health, recovery, morph and capture speak to agents
 * with.
 *
 * <p>{@link org.kmorph.kmpclient.KmpClient} is a service. It opens a {@link org.kmorph.kmpclient.KmpSession} to one agent, which keeps
 * at most one connection, made when it is first needed and again after it was lost. Requests are futures; heartbeats are not: they
 * allocate nothing and are answered by {@link org.kmorph.kmpclient.SessionListener#heartbeat}. What the agent says unasked (its state
 * of health, chunks of memory or state) comes to the listener too.
 */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.kmpclient;

import org.osgi.annotation.versioning.Version;
