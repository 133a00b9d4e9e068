// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSigner;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.kmorph.api.daemon.BundleManager.DeploymentException;

/** The certificates of {@code etc/trusted/*.pem}: what one of them, or one issued under it, has signed is trusted. */
final class TrustedSigners {
    private final Path directory;
    private final Set<Certificate> trusted;

    private TrustedSigners(Path directory, Set<Certificate> trusted) {
        this.directory = directory;
        this.trusted = trusted;
    }

    /** @throws IOException when the directory or a certificate cannot be read */
    static TrustedSigners read(Path directory) throws IOException {
        Set<Certificate> trusted = new HashSet<>();
        try (Stream<Path> found = Files.isDirectory(directory) ? Files.list(directory) : Stream.empty()) {
            List<Path> files =
                    found.filter(file -> file.toString().endsWith(".pem")).toList();
            for (Path file : files) {
                try (InputStream content = Files.newInputStream(file)) {
                    trusted.addAll(CertificateFactory.getInstance("X.509").generateCertificates(content));
                } catch (CertificateException e) {
                    throw new IOException(file + " holds no X.509 certificate: " + e.getMessage(), e);
                }
            }
        }
        return new TrustedSigners(directory, trusted);
    }

    /** @param entry one that was read to its end */
    void check(Path file, JarEntry entry) throws DeploymentException {
        if (isSignatureFile(entry.getName())) {
            return;
        }
        CodeSigner[] signers = entry.getCodeSigners();
        if (signers == null) {
            throw new DeploymentException(file + " is not signed (its entry " + entry.getName()
                    + " is not), and require.signed is on in etc/org.kmorph.deploy.cfg; sign it with jarsigner");
        }
        for (CodeSigner signer : signers) {
            for (Certificate certificate : signer.getSignerCertPath().getCertificates()) {
                if (trusted.contains(certificate)) {
                    return;
                }
            }
        }
        throw new DeploymentException(file + " is signed, but by nobody whose certificate is in " + directory);
    }

    /** What a signature does not cover: itself and the manifest that it covers by other means (JAR File Specification). */
    private static boolean isSignatureFile(String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        return upper.equals(JarFile.MANIFEST_NAME)
                || upper.matches("META-INF/[^/]+\\.(SF|RSA|DSA|EC)")
                || upper.startsWith("META-INF/SIG-");
    }
}
