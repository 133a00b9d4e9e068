// SPDX-License-Identifier: Apache-2.0
/**
 * The interactive shell and the scripting language. Admins have Gogo, in which each command is a word of scope {@code kmorph:}; viewers
 * and operators have the commands alone, with quotes and nothing more.
 */
package org.kmorph.shellcommands.shell;
