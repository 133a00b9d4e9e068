// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyPair;
import java.util.Set;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.FilePasswordProvider;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The private key by which clients know this host: ed25519, in OpenSSH's format, mode 0600. Made once, when there is none; a
 * file that is there and is no such key is an error, because a new key would look to every client like an attack.
 */
final class HostKeyFile {
    private static final Logger LOG = LoggerFactory.getLogger(HostKeyFile.class);
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
    private static final long LARGEST = 64 << 10;

    private final Path file;

    HostKeyFile(Path file) {
        this.file = file;
    }

    /** @throws IOException when it cannot be read or made; the message says what to do */
    KeyPair loadOrCreate() throws IOException {
        if (!Files.exists(file)) {
            create();
        }
        return load();
    }

    private KeyPair load() throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        if (!OWNER_ONLY.containsAll(permissions)) {
            throw new IOException("the SSH host key " + file + " has mode " + PosixFilePermissions.toString(permissions)
                    + "; others may have read it; chmod 600 it, or remove it to have a new one made");
        }
        if (Files.size(file) > LARGEST) {
            throw unusable("it has " + Files.size(file) + " bytes");
        }
        byte[] content = Files.readAllBytes(file);
        try (InputStream in = new ByteArrayInputStream(content)) {
            Iterable<KeyPair> pairs = SecurityUtils.loadKeyPairIdentities(
                    null, NamedResource.ofName(file.toString()), in, FilePasswordProvider.EMPTY);
            if (pairs == null) {
                throw new InvalidKeyException("there is no key in it");
            }
            return ed25519(pairs.iterator().next());
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            // all of them say that the bytes make no sense
            throw unusable(e.getMessage());
        }
    }

    private static KeyPair ed25519(KeyPair pair) throws InvalidKeyException {
        String type = KeyUtils.getKeyType(pair);
        if (!KeyPairProvider.SSH_ED25519.equals(type)) {
            throw new InvalidKeyException("its key is of type " + type);
        }
        return pair;
    }

    private IOException unusable(String why) {
        return new IOException(
                "the SSH host key " + file + " is no ed25519 private key of OpenSSH's format (" + why
                        + "); put back a copy, or remove it to have a new one made: clients will then warn of a changed host key");
    }

    private void create() throws IOException {
        // whole under another name first: a crash must not leave half a key
        Path draft = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(draft);
        try (FileChannel channel = FileChannel.open(
                        draft,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(OWNER_ONLY));
                OutputStream out = Channels.newOutputStream(channel)) {
            KeyPair pair = KeyUtils.generateKeyPair(KeyPairProvider.SSH_ED25519, 256);
            OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(pair, "kmorph", null, out);
            out.flush();
            channel.force(true);
            LOG.info("made the SSH host key {}: {}", file, AuthorizedKeys.fingerprint(pair.getPublic()));
        } catch (GeneralSecurityException e) {
            throw new IOException("no ed25519 host key can be made for SSH: " + e, e);
        } catch (NoSuchFileException e) {
            throw new IOException("the SSH host key cannot be made: there is no directory " + file.getParent(), e);
        }
        try {
            // a link never replaces a key that somebody else made meanwhile; a move would
            Files.createLink(file, draft);
        } catch (FileAlreadyExistsException e) {
            LOG.info("the SSH host key {} was made by another daemon just now; using that", file);
        }
        Files.delete(draft);
        try (FileChannel directory = FileChannel.open(file.toAbsolutePath().getParent())) {
            directory.force(true);
        }
    }
}
