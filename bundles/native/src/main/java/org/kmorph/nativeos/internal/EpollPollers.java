// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.Poller;
import org.kmorph.nativeos.Pollers;
import org.osgi.service.component.annotations.Component;

/** {@link Pollers} by epoll(7). */
@Component(service = Pollers.class)
public final class EpollPollers implements Pollers {
    @Override
    public Poller open() throws ErrnoException {
        return new EpollPoller();
    }
}
