// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.ZipException;
import org.kmorph.api.daemon.BundleManager.DeploymentException;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/**
 * Verifies a jar whole, before the framework sees it: every entry is read to its end, which checks its CRC and, in a signed jar, its
 * digest; the manifest names a bundle; where signatures are required, every entry has one that is trusted.
 */
final class JarCheck {
    private static final long MAX_JAR_BYTES = 256L << 20;
    private static final long MAX_UNPACKED_BYTES = 1L << 30;
    private static final int BLOCK = 64 << 10;

    private final Optional<TrustedSigners> signers;

    /** @param signers whose signature is required; empty when none is */
    JarCheck(Optional<TrustedSigners> signers) {
        this.signers = signers;
    }

    /** @throws DeploymentException when it is not whole, no bundle, or not signed as required; the message says which */
    Jar verify(Path file) throws DeploymentException, IOException {
        if (!Files.isRegularFile(file)) {
            throw new DeploymentException(file + " is not there; name a jar file");
        }
        if (Files.size(file) > MAX_JAR_BYTES) {
            throw new DeploymentException(
                    file + " has " + Files.size(file) + " bytes; a bundle has at most " + MAX_JAR_BYTES);
        }
        try (JarFile jar = new JarFile(file.toFile(), true)) {
            readWhole(file, jar);
            return describe(file, jar);
        } catch (ZipException | SecurityException | IllegalArgumentException e) {
            throw new DeploymentException(file + " is not a whole jar: " + e.getMessage() + "; copy it again", e);
        }
    }

    private void readWhole(Path file, JarFile jar) throws DeploymentException, IOException {
        byte[] block = new byte[BLOCK];
        long unpacked = 0;
        for (JarEntry entry : Collections.list(jar.entries())) {
            try (InputStream content = jar.getInputStream(entry)) {
                for (int count = content.read(block); count >= 0; count = content.read(block)) {
                    unpacked += count;
                    if (unpacked > MAX_UNPACKED_BYTES) {
                        throw new DeploymentException(file + " unpacks to over " + MAX_UNPACKED_BYTES + " bytes");
                    }
                }
            }
            if (signers.isPresent() && !entry.isDirectory()) {
                signers.get().check(file, entry);
            }
        }
    }

    private static Jar describe(Path file, JarFile jar) throws DeploymentException, IOException {
        Manifest manifest = jar.getManifest();
        Attributes attributes = manifest == null ? new Attributes() : manifest.getMainAttributes();
        String name = attributes.getValue(Constants.BUNDLE_SYMBOLICNAME);
        if (name == null) {
            throw new DeploymentException(file + " is no bundle: its manifest has no " + Constants.BUNDLE_SYMBOLICNAME);
        }
        if (attributes.getValue(Constants.FRAGMENT_HOST) != null) {
            throw new DeploymentException(
                    file + " is a fragment, which would change another bundle; only whole bundles are taken");
        }
        try {
            String version = attributes.getValue(Constants.BUNDLE_VERSION);
            return new Jar(file, name.split(";")[0].strip(), Version.parseVersion(version));
        } catch (IllegalArgumentException e) {
            throw new DeploymentException(file + " is no bundle: " + e.getMessage(), e);
        }
    }
}
