// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.lang.annotation.Annotation;
import org.kmorph.transportlocal.UnixTransport;

/** The transport's configuration as it comes. */
final class TransportDefaults implements UnixTransport.Config {
    @Override
    public int max_connections() {
        return 4096;
    }

    @Override
    public int send_queue_bytes() {
        return 2 << 20;
    }

    @Override
    public Class<? extends Annotation> annotationType() {
        return UnixTransport.Config.class;
    }
}
