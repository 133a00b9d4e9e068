// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

/**
 * Who runs a command. A door makes one after it has established who is there, and never from what the caller says of himself.
 *
 * @param name the user's name as the door knows it: the Unix user, or the name beside the SSH key
 * @param role what the caller may do
 * @param door the way in
 * @param origin where the caller sits, for the audit log: {@code uid=1000}, {@code 127.0.0.1:40022 SHA256:…}
 */
public record Caller(String name, Role role, Door door, String origin) {}
