// SPDX-License-Identifier: Apache-2.0
package org.kmorph.config;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.kmorph.api.daemon.Configurations;
import org.kmorph.api.daemon.Configurations.Change;
import org.kmorph.api.daemon.Configurations.Outcome;
import org.kmorph.api.daemon.Directories;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.metatype.MetaTypeService;

/** Reads the files when the bundle starts, which is before declarative services do. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    @Override
    public void start(BundleContext context) throws Exception {
        EtcConfigurations configurations = new EtcConfigurations(
                Directories.of(context).etc(),
                context,
                context.getService(context.getServiceReference(ConfigurationAdmin.class)),
                context.getService(context.getServiceReference(MetaTypeService.class)));
        List<Change> refused = configurations.readAgain().stream()
                .filter(change -> change.outcome() == Outcome.REFUSED)
                .toList();
        if (!refused.isEmpty()) {
            throw new BundleException(refused.stream()
                    .map(change -> change.file() + ": " + change.detail())
                    .collect(Collectors.joining("\n")));
        }
        context.registerService(Configurations.class, configurations, FrameworkUtil.asDictionary(Map.of()));
    }

    @Override
    public void stop(BundleContext context) {
        // the framework takes the service back
    }
}
