// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.nio.file.Path;
import org.osgi.framework.BundleContext;

/**
 * Where the daemon keeps what. All exist when a bundle starts; the launcher made them, with the modes given here.
 *
 * @param home the unpacked distribution; read only
 * @param etc configuration, written by people
 * @param deploy bundles dropped in by people
 * @param state what must survive: the journal, instance directories; mode 0700
 * @param cache what can be made anew; mode 0700
 * @param log log files; mode 0750
 * @param run what lives as long as the daemon: sockets, the pid file; mode 0750
 */
public record Directories(Path home, Path etc, Path deploy, Path state, Path cache, Path log, Path run) {

    /** Reads the framework properties {@code kmorph.home}, {@code kmorph.etc} and so on, which the launcher sets. */
    public static Directories of(BundleContext context) {
        return new Directories(
                path(context, "home"),
                path(context, "etc"),
                path(context, "deploy"),
                path(context, "state"),
                path(context, "cache"),
                path(context, "log"),
                path(context, "run"));
    }

    /** Where instances have their own directories, each called by its instance's id. */
    public Path instances() {
        return state.resolve("instances");
    }

    private static Path path(BundleContext context, String name) {
        String value = context.getProperty("kmorph." + name);
        if (value == null) {
            throw new IllegalStateException(
                    "framework property kmorph." + name + " is not set; start with bin/kmorphd");
        }
        return Path.of(value);
    }
}
