// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import org.kmorph.it.dropped.ConfiguredCommand;
import org.kmorph.it.dropped.FailingCommand;
import org.kmorph.it.dropped.GreetCommand;

/** Makes the bundle {@code example.greet}, which brings the command {@code greet}, in the ways in which bundles come. */
final class TestBundle {
    static final String NAME = "example.greet";

    private static final long SEED = 4711;

    private TestBundle() {}

    /** One that works, of at least so many bytes. */
    static Path working(Path to, String version, int bytes) {
        return write(to, version, "org.kmorph.api.command", GreetCommand.class, bytes);
    }

    static Path working(Path to, String version) {
        return working(to, version, 0);
    }

    /** One whose greeting is that of {@code etc/greet.cfg}. */
    static Path configured(Path to, String version) {
        return write(to, version, "org.kmorph.api.command", ConfiguredCommand.class, 0);
    }

    /** One whose component throws when it is activated. */
    static Path failing(Path to, String version) {
        return write(to, version, "org.kmorph.api.command", FailingCommand.class, 0);
    }

    /** One that needs a package that nobody has. */
    static Path unresolvable(Path to, String version) {
        return write(to, version, "org.kmorph.api.command,no.such.place", GreetCommand.class, 0);
    }

    private static Path write(Path to, String version, String imports, Class<?> component, int ballast) {
        Manifest manifest = new Manifest();
        Map.of(
                        "Manifest-Version",
                        "1.0",
                        "Bundle-ManifestVersion",
                        "2",
                        "Bundle-SymbolicName",
                        NAME,
                        "Bundle-Version",
                        version,
                        "Import-Package",
                        imports,
                        "Service-Component",
                        "OSGI-INF/greet.xml")
                .forEach((name, value) -> manifest.getMainAttributes().put(new Attributes.Name(name), value));
        String description =
                """
                <scr:component xmlns:scr="http://www.osgi.org/xmlns/scr/v1.3.0" name="greet" immediate="true" modified="modified">
                  <implementation class="%s"/>
                  <service><provide interface="org.kmorph.api.command.Command"/></service>
                </scr:component>
                """
                        .formatted(component.getName());
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(to), manifest)) {
            entry(out, "OSGI-INF/greet.xml", description.getBytes(StandardCharsets.UTF_8));
            for (Class<?> type : List.of(GreetCommand.class, ConfiguredCommand.class, FailingCommand.class)) {
                String file = type.getName().replace('.', '/') + ".class";
                try (InputStream code = TestBundle.class.getClassLoader().getResourceAsStream(file)) {
                    entry(out, file, code.readAllBytes());
                }
            }
            byte[] incompressible = new byte[ballast];
            new Random(SEED).nextBytes(incompressible);
            entry(out, "ballast", incompressible);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return to;
    }

    private static void entry(JarOutputStream out, String name, byte[] content) throws IOException {
        out.putNextEntry(new ZipEntry(name));
        out.write(content);
        out.closeEntry();
    }
}
