// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.startlevel.FrameworkStartLevel;

/** The daemon's main: boots the framework and stays until it stops. Ends with 0 after a stop, 1 when it could not start. */
public final class Main {
    /** Above all that are used: ours start at 20, dropped-in ones at 30. */
    private static final int ALL_LEVELS = 50;

    private static final long STOP_PATIENCE_MS = 20_000;

    /** Linux's file system in memory for everybody (shm_overview(7)). */
    private static final Path MEMORY = Path.of("/dev/shm");

    private Main() {}

    public static void main(String[] arguments) {
        try {
            Settings settings = Settings.read(
                    Path.of(System.getProperty("kmorph.home")), Path.of(System.getProperty("kmorph.config")));
            Workplace workplace = Workplace.occupy(settings);
            try {
                run(settings);
            } finally {
                workplace.close();
            }
        } catch (StartException e) {
            System.err.println("kmorphd: " + e.getMessage());
            System.exit(1);
        } catch (IOException | BundleException | InterruptedException e) {
            System.err.println("kmorphd: stopped by " + e);
            System.exit(1);
        }
        System.exit(0);
    }

    private static void run(Settings settings)
            throws StartException, BundleException, IOException, InterruptedException {
        FrameworkStorage storage = FrameworkStorage.create(settings.cache(), MEMORY);
        Map<String, String> properties = properties(settings, storage);
        properties.forEach(System::setProperty);
        Framework framework = new FrameworkFactory().newFramework(properties);
        framework.init();
        StartErrors errors = new StartErrors();
        framework.getBundleContext().addFrameworkListener(errors);
        InstalledBundles.install(settings, framework.getBundleContext());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(framework, storage), "kmorph-stop"));
        framework.start();
        CountDownLatch started = new CountDownLatch(1);
        framework.adapt(FrameworkStartLevel.class).setStartLevel(ALL_LEVELS, event -> started.countDown());
        started.await();
        errors.check();
        new Readiness(settings).await();
        Readiness.announce();
        storage.deleteFormer();
        framework.waitForStop(0);
    }

    private static Map<String, String> properties(Settings settings, FrameworkStorage storage) throws IOException {
        Path nativeCode = Files.createDirectories(settings.cache().resolve("native"));
        Map<String, String> properties = new HashMap<>();
        properties.put("kmorph.home", settings.home().toString());
        properties.put("kmorph.etc", settings.etc().toString());
        properties.put("kmorph.deploy", settings.deploy().toString());
        properties.put("kmorph.state", settings.state().toString());
        properties.put("kmorph.cache", settings.cache().toString());
        properties.put("kmorph.log", settings.log().toString());
        properties.put("kmorph.run", settings.run().toString());
        properties.put("jna.tmpdir", nativeCode.toString());
        properties.put("org.sqlite.lib.path", settings.home().resolve("lib").toString());
        properties.put("org.sqlite.lib.name", "libsqlitejdbc.so");
        properties.put("org.sqlite.tmpdir", nativeCode.toString());
        properties.put(Constants.FRAMEWORK_STORAGE, storage.directory().toString());
        // An update starts the new version of a bundle beside the old one.
        properties.put(Constants.FRAMEWORK_BSNVERSION, Constants.FRAMEWORK_BSNVERSION_MULTIPLE);
        // What the framework has to say comes as events, which the log has.
        properties.put("felix.log.level", "0");
        properties.put("ds.loglevel", "warn");
        // gogo.jline starts a shell of its own; it finds nothing to do there and ends.
        properties.put("gosh.args", "--nointeractive --noshutdown");
        properties.put("gosh.home", settings.home().resolve("lib/gosh").toString());
        properties.put("org.ops4j.pax.logging.DefaultServiceLog.level", "WARN");
        // its history would keep exceptions, and with them the classes of bundles long replaced
        properties.put("org.ops4j.pax.logging.logReaderEnabled", "false");
        properties.put("org.ops4j.pax.logging.property.file", logging(settings).toString());
        return properties;
    }

    /** The service manager's journal wants plain lines with a priority, a person's terminal wants warnings alone. */
    private static Path logging(Settings settings) {
        boolean journal = System.getenv("JOURNAL_STREAM") != null;
        return settings.etc().resolve(journal ? "logback-journal.xml" : "logback.xml");
    }

    private static void stop(Framework framework, FrameworkStorage storage) {
        try {
            framework.stop();
            framework.waitForStop(STOP_PATIENCE_MS);
            storage.delete();
        } catch (BundleException | IOException e) {
            System.err.println("kmorphd: stopping: " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
