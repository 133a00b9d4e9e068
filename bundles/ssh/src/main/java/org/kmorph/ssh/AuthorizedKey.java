// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import org.kmorph.api.command.Role;

/**
 * Whoever has the private half of a key.
 *
 * @param name the text beside the key
 * @param role what he may do
 * @param fingerprint {@code SHA256:…} of the key, as ssh-keygen -l prints it
 */
record AuthorizedKey(String name, Role role, String fingerprint) {}
