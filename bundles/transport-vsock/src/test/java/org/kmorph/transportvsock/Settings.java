// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.lang.annotation.Annotation;

/** The transport's configuration, as a test wants it. */
record Settings(int max_connections, int send_queue_bytes, boolean af_vsock) implements VsockTransport.Config {
    @Override
    public Class<? extends Annotation> annotationType() {
        return VsockTransport.Config.class;
    }
}
