// SPDX-License-Identifier: Apache-2.0
/**
 * The configuration files of {@code etc/}. They are read before declarative services start, so that a component sees its configuration
 * at its first activation, and again when someone asks for it. A file with a value that its component does not declare is refused
 * whole: at the start the daemon then does not run, later what was in force stays.
 */
package org.kmorph.config;
