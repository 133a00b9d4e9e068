// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

/**
 * A use of a command, shown by its help.
 *
 * @param line the words, without {@code kmorphctl}
 * @param effect what they do, one sentence
 */
public record Example(String line, String effect) {}
