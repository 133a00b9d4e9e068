// SPDX-License-Identifier: Apache-2.0
/**
 * Boots the daemon: settings, directories, the lock, the framework and its bundles. Nothing of it is seen by a bundle but the
 * framework properties {@code kmorph.*}; it is never swapped, so as little as possible stands here.
 */
package org.kmorph.launcher;
