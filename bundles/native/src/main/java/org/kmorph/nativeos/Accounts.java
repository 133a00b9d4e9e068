// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

import java.util.List;
import java.util.Optional;

/**
 * The users and groups of this machine, as the name service switch knows them: {@code /etc/passwd}, LDAP, whatever is
 * configured. A network source may answer slowly; nothing is remembered between calls. Thread-safe.
 */
public interface Accounts {
    /**
     * A user by name; empty when there is none.
     *
     * @throws ErrnoException when the user database cannot be read
     */
    Optional<User> user(String name) throws ErrnoException;

    /**
     * A user by number; empty when there is none.
     *
     * @throws ErrnoException when the user database cannot be read
     */
    Optional<User> user(long uid) throws ErrnoException;

    /** The effective user of this process; without a name in the database he is called by his number. */
    User self() throws ErrnoException;

    /**
     * All groups that the user belongs to by the group database, the primary one among them. These are the groups that a new
     * login would get; a running process may have others. A group without a name is called by its number.
     *
     * @throws ErrnoException when the group database cannot be read
     */
    List<Group> groups(User user) throws ErrnoException;

    /**
     * @param name the login name
     * @param uid the user's number, 0 to 4,294,967,295
     * @param gid the number of the primary group
     */
    record User(String name, long uid, long gid) {}

    /**
     * @param name the group's name
     * @param gid the group's number, 0 to 4,294,967,295
     */
    record Group(String name, long gid) {}
}
