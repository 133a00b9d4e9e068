// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.nativeos.Accounts;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.osgi.service.component.annotations.Component;

/** {@link Accounts} by the reentrant functions of {@code pwd.h} and {@code grp.h}. */
@Component(service = Accounts.class)
public final class LibcAccounts implements Accounts {
    /** Kernel's NGROUPS_MAX, {@code include/uapi/linux/limits.h}: nobody can be in more. */
    private static final int MOST_GROUPS = 65536;

    private static final long FIRST_BUFFER = 1024;
    /** An entry of a group with very many members is long; beyond this the database is taken to be broken. */
    private static final long LARGEST_BUFFER = 16L << 20;

    /** A reentrant look-up: fills the entry, using the buffer for its strings, and sets the result to the entry or null. */
    @FunctionalInterface
    private interface Lookup {
        int call(Pointer entry, Pointer buffer, long size, Pointer result);
    }

    @FunctionalInterface
    private interface Reader<T> {
        T read(Pointer entry);
    }

    @Override
    public Optional<User> user(String name) throws ErrnoException {
        byte[] cName = CStrings.terminated(name);
        return lookUp(
                "getpwnam_r",
                name,
                (entry, buffer, size, result) -> LibC.getpwnam_r(cName, entry, buffer, size, result),
                LibcAccounts::readUser);
    }

    @Override
    public Optional<User> user(long uid) throws ErrnoException {
        return lookUp(
                "getpwuid_r",
                Long.toString(uid),
                (entry, buffer, size, result) -> LibC.getpwuid_r(id(uid), entry, buffer, size, result),
                LibcAccounts::readUser);
    }

    @Override
    public User self() throws ErrnoException {
        long uid = Integer.toUnsignedLong(LibC.geteuid());
        long gid = Integer.toUnsignedLong(LibC.getegid());
        return user(uid).orElseGet(() -> new User(Long.toString(uid), uid, gid));
    }

    @Override
    public List<Group> groups(User user) throws ErrnoException {
        byte[] name = CStrings.terminated(user.name());
        int[] gids = new int[32];
        int[] count = {gids.length};
        while (LibC.getgrouplist(name, id(user.gid()), gids, count) < 0) {
            if (gids.length >= MOST_GROUPS) {
                throw new ErrnoException("getgrouplist", user.name(), Errno.E2BIG.number());
            }
            // glibc says in count how many there are, musl may not
            gids = new int[Math.min(MOST_GROUPS, Math.max(count[0], gids.length * 2))];
            count[0] = gids.length;
        }
        List<Group> groups = new ArrayList<>(count[0]);
        for (int i = 0; i < count[0]; i++) {
            groups.add(group(gids[i]));
        }
        return List.copyOf(groups);
    }

    private static Group group(int gid) throws ErrnoException {
        long number = Integer.toUnsignedLong(gid);
        return lookUp(
                        "getgrgid_r",
                        Long.toString(number),
                        (entry, buffer, size, result) -> LibC.getgrgid_r(gid, entry, buffer, size, result),
                        entry -> new Group(text(entry.getPointer(0)), number))
                .orElseGet(() -> new Group(Long.toString(number), number));
    }

    private static <T> Optional<T> lookUp(String call, String subject, Lookup lookup, Reader<T> reader)
            throws ErrnoException {
        // struct passwd has 48 bytes and struct group 32 on LP64 (pwd.h, grp.h)
        try (Memory entry = new Memory(64);
                Memory result = new Memory(Native.POINTER_SIZE)) {
            for (long size = FIRST_BUFFER; ; size *= 4) {
                try (Memory buffer = new Memory(size)) {
                    int error = lookup.call(entry, buffer, size, result);
                    if (error == Errno.ERANGE.number() && size < LARGEST_BUFFER || error == Errno.EINTR.number()) {
                        continue;
                    }
                    // getpwnam(3): "not found" may also come as one of these two
                    if (error != 0 && error != Errno.ENOENT.number() && error != Errno.ESRCH.number()) {
                        throw new ErrnoException(call, subject, error);
                    }
                    return result.getPointer(0) == null ? Optional.empty() : Optional.of(reader.read(entry));
                }
            }
        }
    }

    /** struct passwd: pw_name, pw_passwd, then pw_uid and pw_gid of 32 bits each. */
    private static User readUser(Pointer entry) {
        long ids = 2L * Native.POINTER_SIZE;
        return new User(
                text(entry.getPointer(0)),
                Integer.toUnsignedLong(entry.getInt(ids)),
                Integer.toUnsignedLong(entry.getInt(ids + Integer.BYTES)));
    }

    private static String text(Pointer string) {
        return string.getString(0, StandardCharsets.UTF_8.name());
    }

    private static int id(long unsigned) {
        if (unsigned < 0 || unsigned > 0xFFFF_FFFFL) {
            throw new IllegalArgumentException("a user or group number is 0 to 4294967295, not " + unsigned);
        }
        return (int) unsigned;
    }
}
