// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.kmorph.api.daemon.BundleManager.DeploymentException;

/**
 * A copy of somebody's file in a directory of ours, deleted on close: what is verified is then what is installed, whatever happens to
 * the file meanwhile.
 *
 * @param copy where it lies
 * @param source what it was copied from
 * @param digest SHA-256 of its bytes, in hexadecimal
 */
record StagedFile(Path copy, Path source, String digest) implements AutoCloseable {
    static final long MAX_BYTES = 256L << 20;

    private static final int BLOCK = 64 << 10;

    /** @throws DeploymentException when there is no such file, or it is too large to be a bundle */
    static StagedFile of(Path source, Path directory) throws DeploymentException, IOException {
        if (!Files.isRegularFile(source)) {
            throw new DeploymentException(source + " is not there; name a jar file");
        }
        Path copy = Files.createTempFile(directory, "staged-", ".jar");
        try (InputStream in = Files.newInputStream(source);
                DigestOutputStream out = new DigestOutputStream(Files.newOutputStream(copy), sha256())) {
            copy(source, in, out);
            return new StagedFile(
                    copy,
                    source,
                    HexFormat.of().formatHex(out.getMessageDigest().digest()));
        } catch (DeploymentException | IOException e) {
            Files.deleteIfExists(copy);
            throw e;
        }
    }

    private static void copy(Path source, InputStream in, OutputStream out) throws DeploymentException, IOException {
        byte[] block = new byte[BLOCK];
        long copied = 0;
        for (int count = in.read(block); count >= 0; count = in.read(block)) {
            copied += count;
            if (copied > MAX_BYTES) {
                throw new DeploymentException(source + " has over " + MAX_BYTES + " bytes; a bundle has at most that");
            }
            out.write(block, 0, count);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(copy);
    }
}
