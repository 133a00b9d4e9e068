// SPDX-License-Identifier: Apache-2.0
/**
 * The engine behind every door: {@link org.kmorph.shellcommands.engine.Engine} finds a command by its words, checks the caller's role,
 * parses, audits, runs and prints. What is known of a command comes from its declaration alone.
 */
package org.kmorph.shellcommands.engine;
