// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipException;
import org.kmorph.api.daemon.BundleManager.DeploymentException;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/**
 * Verifies a jar whole, before the framework sees it: every entry is read to its end and has its CRC and, in a signed jar, its digest; the manifest names a bundle; where signatures are required, every entry has one that is trusted.
 */
final class JarCheck {
    private static final long MAX_UNPACKED_BYTES = 1L << 30;
    private static final int BLOCK = 64 << 10;

    private final Optional<TrustedSigners> signers;

    /** @param signers whose signature is required; empty when none is */
    JarCheck(Optional<TrustedSigners> signers) {
        this.signers = signers;
    }

    /** @throws DeploymentException when it is not whole, no bundle, or not signed as required; the message says which */
    Jar verify(StagedFile file) throws DeploymentException, IOException {
        Path source = file.source();
        try (JarFile jar = new JarFile(file.copy().toFile(), true)) {
            readWhole(source, jar);
            return describe(file, jar);
        } catch (ZipException | EOFException | SecurityException | IllegalArgumentException e) {
            throw new DeploymentException(source + " is not a whole jar: " + e.getMessage() + "; copy it again", e);
        }
    }

    private void readWhole(Path source, JarFile jar) throws DeploymentException, IOException {
        byte[] block = new byte[BLOCK];
        long unpacked = 0;
        for (JarEntry entry : Collections.list(jar.entries())) {
            try (CheckedInputStream content = new CheckedInputStream(jar.getInputStream(entry), new CRC32())) {
                for (int count = content.read(block); count >= 0; count = content.read(block)) {
                    unpacked += count;
                    if (unpacked > MAX_UNPACKED_BYTES) {
                        throw new DeploymentException(source + " unpacks to over " + MAX_UNPACKED_BYTES + " bytes");
                    }
                }
                if (content.getChecksum().getValue() != entry.getCrc()) {
                    throw new ZipException("the checksum of its entry " + entry.getName() + " is wrong");
                }
            }
            if (signers.isPresent() && !entry.isDirectory()) {
                signers.get().check(source, entry);
            }
        }
    }

    private static Jar describe(StagedFile file, JarFile jar) throws DeploymentException, IOException {
        String name = symbolicName(jar)
                .orElseThrow(() -> new DeploymentException(
                        file.source() + " is no bundle: its manifest has no " + Constants.BUNDLE_SYMBOLICNAME));
        Attributes attributes = jar.getManifest().getMainAttributes();
        if (attributes.getValue(Constants.FRAGMENT_HOST) != null) {
            throw new DeploymentException(
                    file.source() + " is a fragment, which would change another bundle; only whole bundles are taken");
        }
        try {
            Version version = Version.parseVersion(attributes.getValue(Constants.BUNDLE_VERSION));
            return new Jar(file.copy(), file.source(), name, version, file.digest());
        } catch (IllegalArgumentException e) {
            throw new DeploymentException(file.source() + " is no bundle: " + e.getMessage(), e);
        }
    }

    /** The bundle that a jar's manifest names, if it names one; nothing else of the jar is looked at. */
    static Optional<String> symbolicName(Path file) throws IOException {
        try (JarFile jar = new JarFile(file.toFile())) {
            return symbolicName(jar);
        }
    }

    private static Optional<String> symbolicName(JarFile jar) throws IOException {
        return Optional.ofNullable(jar.getManifest())
                .map(manifest -> manifest.getMainAttributes().getValue(Constants.BUNDLE_SYMBOLICNAME))
                .map(name -> name.split(";")[0].strip());
    }
}
