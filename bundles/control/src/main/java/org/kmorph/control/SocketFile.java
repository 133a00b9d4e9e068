// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A listening socket and its place in the file system. It is bound inside a private directory, gets its group and mode 0660
 * there, and is then renamed over its place: nobody ever meets it with other rights, and when it takes over from a
 * predecessor in the same process there is no moment without a socket. A dead daemon's socket is taken over; a living
 * stranger's never is.
 */
final class SocketFile {
    private static final Logger LOG = LoggerFactory.getLogger(SocketFile.class);

    /** sun_path of unix(7) has 108 bytes, with the null at the end. */
    private static final int MAX_PATH = 107;

    private static final int BACKLOG = 128;
    private static final String PRIVATE_PREFIX = ".door-";
    private static final Duration PROBE = Duration.ofSeconds(2);

    private final Path path;
    private final DaemonIdentity identity;
    private final ServerSocketChannel channel;
    private final Object fileKey;
    private final UserPrincipal owner;

    private SocketFile(
            Path path, DaemonIdentity identity, ServerSocketChannel channel, Object fileKey, UserPrincipal owner) {
        this.path = path;
        this.identity = identity;
        this.channel = channel;
        this.fileKey = fileKey;
        this.owner = owner;
    }

    /**
     * Listens at the path.
     *
     * @param group the group that may connect, and then also of the directory where that is ours; empty for the primary group of the daemon's user
     * @throws IOException when that is not possible; the message is for a person
     */
    static SocketFile open(Path path, Optional<String> group, DaemonIdentity identity) throws IOException {
        Path directory = path.toAbsolutePath().getParent();
        String unique =
                PRIVATE_PREFIX + Integer.toHexString(ThreadLocalRandom.current().nextInt(1 << 24));
        Path hidden = directory.resolve(unique);
        Path bound = hidden.resolve("s");
        checkLength(path, bound);
        makeDirectory(directory);
        checkPlace(path, identity);
        removeLeftovers(directory);
        Files.createDirectory(
                hidden, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.bind(UnixDomainSocketAddress.of(bound), BACKLOG);
            if (group.isPresent()) {
                setGroup(bound, group.get());
                letIn(directory, group.get(), Files.getOwner(bound));
            }
            Files.setPosixFilePermissions(bound, PosixFilePermissions.fromString("rw-rw----"));
            Object key = key(bound).orElseThrow(() -> new NoSuchFileException(bound.toString()));
            UserPrincipal owner = Files.getOwner(bound);
            Files.move(bound, path, StandardCopyOption.ATOMIC_MOVE);
            return new SocketFile(path, identity, channel, key, owner);
        } catch (IOException | RuntimeException e) {
            channel.close();
            Files.deleteIfExists(bound);
            throw e;
        } finally {
            Files.deleteIfExists(hidden);
        }
    }

    ServerSocketChannel channel() {
        return channel;
    }

    Path path() {
        return path;
    }

    DaemonIdentity identity() {
        return identity;
    }

    /** The user that this process makes files as. */
    UserPrincipal owner() {
        return owner;
    }

    /** Whether a successor listens at the path. */
    boolean isTakenOver() throws IOException {
        // while our socket is open its inode number cannot be another's
        return key(path).filter(there -> !there.equals(fileKey)).isPresent();
    }

    /** Stops listening, and removes the file unless it is a successor's by now. */
    void close() {
        try {
            if (!isTakenOver()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            LOG.warn("the socket file {} stays behind", path, e);
        }
        try {
            channel.close();
        } catch (IOException e) {
            LOG.warn("closing the control socket {}", path, e);
        }
    }

    private static Optional<Object> key(Path file) throws IOException {
        try {
            return Optional.of(Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static void checkLength(Path path, Path bound) throws IOException {
        int length = Math.max(bytes(path.toAbsolutePath()), bytes(bound));
        if (length > MAX_PATH) {
            throw new IOException("the path of the control socket " + path + " is too long: a Unix socket takes "
                    + MAX_PATH + " bytes; set socket in etc/org.kmorph.control.cfg to a shorter one");
        }
    }

    private static int bytes(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8).length;
    }

    private static void makeDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-x---")));
        }
    }

    /** The group must be able to reach the socket; a directory of another user is that user's to arrange. */
    private static void letIn(Path directory, String group, UserPrincipal self) throws IOException {
        if (Files.getOwner(directory).equals(self)) {
            setGroup(directory, group);
        }
    }

    private static void setGroup(Path file, String name) throws IOException {
        GroupPrincipal group;
        try {
            group = file.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(name);
        } catch (IOException e) {
            throw new IOException(
                    "there is no group \"" + name + "\"; create it, or change group in etc/org.kmorph.control.cfg", e);
        }
        Files.getFileAttributeView(file, PosixFileAttributeView.class).setGroup(group);
    }

    /** Throws when something is at the path that is not ours to replace. */
    private static void checkPlace(Path path, DaemonIdentity self) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .isOther()) {
            throw new IOException("there is a file in place of the control socket " + path + "; move it away");
        }
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            Optional<DaemonIdentity> there = greeting(probe);
            if (!there.equals(Optional.of(self))) {
                throw new IOException("another "
                        + there.map(d -> "kmorphd (process " + d.pid() + ")").orElse("program")
                        + " answers on the control socket " + path
                        + "; stop it, or set socket in etc/org.kmorph.control.cfg to another path");
            }
        } catch (ConnectException e) {
            LOG.info("the control socket {} of a daemon that is gone is replaced", path);
        } catch (NoSuchFileException e) {
            // its owner has just removed it
        }
    }

    private static Optional<DaemonIdentity> greeting(SocketChannel probe) throws IOException {
        ByteBuffer b = ByteBuffer.allocate(
                Frame.hello(new DaemonIdentity(0, 0)).encode().capacity());
        long end = System.nanoTime() + PROBE.toNanos();
        probe.configureBlocking(false);
        try (Selector selector = Selector.open()) {
            probe.register(selector, SelectionKey.OP_READ);
            while (b.hasRemaining() && System.nanoTime() - end < 0) {
                selector.select(
                        Math.max(1, Duration.ofNanos(end - System.nanoTime()).toMillis()));
                selector.selectedKeys().clear();
                if (probe.read(b) < 0) {
                    break;
                }
            }
        }
        return b.hasRemaining() ? Optional.empty() : Frame.identity(b.flip());
    }

    /** Private directories of a process that was killed between bind and rename. */
    private static void removeLeftovers(Path directory) throws IOException {
        try (DirectoryStream<Path> hidden = Files.newDirectoryStream(directory, PRIVATE_PREFIX + "*")) {
            for (Path left : hidden) {
                Files.deleteIfExists(left.resolve("s"));
                Files.deleteIfExists(left);
            }
        }
    }
}
