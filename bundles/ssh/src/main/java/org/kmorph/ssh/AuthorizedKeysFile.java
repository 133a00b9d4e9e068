// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.security.PublicKey;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of authorised keys; read again whenever it changed. A file that others may write to, that is too large or cannot be
 * read lets nobody in, and the log says why. Thread-safe.
 */
final class AuthorizedKeysFile {
    private static final Logger LOG = LoggerFactory.getLogger(AuthorizedKeysFile.class);
    private static final long LARGEST = 1 << 20;

    /** What tells one content of the file from the next. */
    private record Stamp(Object inode, FileTime modified, FileTime changed, long size) {
        static final Stamp NO_FILE = new Stamp("", FileTime.fromMillis(0), FileTime.fromMillis(0), -1);
    }

    private final Path file;
    private Optional<Stamp> stamp = Optional.empty();
    private AuthorizedKeys keys = AuthorizedKeys.NONE;

    AuthorizedKeysFile(Path file) {
        this.file = file;
    }

    /** The holder of a key, by the file as it is now. */
    synchronized Optional<AuthorizedKey> find(PublicKey key) {
        refresh();
        return keys.find(key);
    }

    /** The holder of a key that was found before, by the file as it is now: his role may have changed, or be gone. */
    synchronized Optional<AuthorizedKey> find(String fingerprint) {
        refresh();
        return Optional.ofNullable(keys.byFingerprint().get(fingerprint));
    }

    /** Reads the file if it changed, so that what is wrong with it is in the log early. */
    synchronized void refresh() {
        Stamp now;
        try {
            now = stamp();
        } catch (IOException e) {
            LOG.error("SSH lets nobody in: the attributes of {} cannot be read: {}", file, e.toString());
            keys = AuthorizedKeys.NONE;
            stamp = Optional.empty();
            return;
        }
        if (stamp.filter(now::equals).isPresent()) {
            return;
        }
        stamp = Optional.of(now);
        keys = read(now);
    }

    private AuthorizedKeys read(Stamp now) {
        if (now.equals(Stamp.NO_FILE)) {
            LOG.warn(
                    "SSH lets nobody in: there is no {}; write a line for each key: role=\"admin\" ssh-ed25519 AAAA... name",
                    file);
            return AuthorizedKeys.NONE;
        }
        try {
            PosixFileAttributes attributes = Files.readAttributes(file, PosixFileAttributes.class);
            if (attributes.permissions().contains(PosixFilePermission.GROUP_WRITE)
                    || attributes.permissions().contains(PosixFilePermission.OTHERS_WRITE)) {
                LOG.error("SSH lets nobody in: others may write to {}; correct it with: chmod go-w {}", file, file);
                return AuthorizedKeys.NONE;
            }
            if (now.size() > LARGEST) {
                LOG.error("SSH lets nobody in: {} has {} bytes; at most {} were expected", file, now.size(), LARGEST);
                return AuthorizedKeys.NONE;
            }
            // bytes that are no UTF-8 spoil their line alone
            AuthorizedKeys read = AuthorizedKeys.parse(
                    new String(Files.readAllBytes(file), UTF_8).lines().toList());
            read.refusals().forEach(refusal -> LOG.warn("{}, {}", file, refusal));
            LOG.info("{}: {} keys", file, read.byFingerprint().size());
            return read;
        } catch (IOException e) {
            LOG.error("SSH lets nobody in: {} cannot be read: {}", file, e.toString());
            return AuthorizedKeys.NONE;
        }
    }

    private Stamp stamp() throws IOException {
        try {
            var attributes = Files.readAttributes(file, "unix:ino,lastModifiedTime,ctime,size");
            return new Stamp(
                    attributes.get("ino"),
                    (FileTime) attributes.get("lastModifiedTime"),
                    (FileTime) attributes.get("ctime"),
                    (Long) attributes.get("size"));
        } catch (NoSuchFileException e) {
            return Stamp.NO_FILE;
        }
    }
}
