// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportlocal;

import java.io.IOException;
import java.time.Duration;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The transport of scheme {@code unix}: an endpoint's address is the path of a listening stream socket. */
@Component(configurationPid = "org.kmorph.transport-local")
@Designate(ocd = UnixTransport.Config.class)
public final class UnixTransport implements Transport {

    /** The configuration, {@code etc/org.kmorph.transport-local.cfg}. */
    @ObjectClassDefinition(name = "kmorph transport-local")
    public @interface Config {
        @AttributeDefinition(description = "how many connections there may be at once", min = "1", max = "100000")
        int max_connections() default 4096;

        @AttributeDefinition(
                description = "how many bytes wait at most for a peer that does not read",
                min = "4096",
                max = "67108864")
        int send_queue_bytes() default 2097152;
    }

    private final EventLoop loop;

    @Activate
    public UnixTransport(Config config) throws IOException {
        loop = new EventLoop(config.max_connections(), config.send_queue_bytes());
        loop.start();
    }

    @Deactivate
    void stop() throws InterruptedException {
        loop.stop();
    }

    @Override
    public String scheme() {
        return "unix";
    }

    @Override
    public Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler) {
        return loop.connect(peer.address(), deadline, handler);
    }
}
