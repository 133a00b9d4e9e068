// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.lang.reflect.Proxy;
import org.kmorph.nativeos.VsockSockets;

/** The AF_VSOCK of a machine where nobody may ask for it. */
final class NoVsock {
    static final VsockSockets INSTANCE = (VsockSockets) Proxy.newProxyInstance(
            VsockSockets.class.getClassLoader(), new Class<?>[] {VsockSockets.class}, (proxy, method, arguments) -> {
                throw new AssertionError(method.getName() + " was called though af.vsock is false");
            });

    private NoVsock() {}
}
