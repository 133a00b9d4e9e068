// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.transport.VsockLink;
import org.kmorph.nativeos.DescriptorSockets;
import org.kmorph.nativeos.Descriptors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The links that hosts have registered, each attached to its keeper as soon as that gives it and again whenever it was lost. Keepers are
 * asked on a thread of their own, for they may be slow; all else happens on the loop's.
 */
final class Links {
    private static final Logger LOG = LoggerFactory.getLogger(Links.class);

    /** While a former version of this bundle has a link, its successor asks for it this often: it has it back before anybody misses it. */
    private static final Duration FIRST_PAUSE = Duration.ofMillis(10);

    /** While there is no keeper, it asks ever more seldom. */
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(500);

    private final Loop loop;
    private final DescriptorSockets sockets;
    private final Descriptors descriptors;
    private final Link.Incoming incoming;
    private final SecureRandom random = new SecureRandom();
    private final Map<Long, Link> links = new ConcurrentHashMap<>();
    /** How many have registered each; guarded by this object. */
    private final Map<VsockLink, Integer> holders = new HashMap<>();

    private final ExecutorService keepers =
            Executors.newSingleThreadExecutor(new DaemonThreads("kmorph-vsock-keepers"));

    Links(Loop loop, DescriptorSockets sockets, Descriptors descriptors, Link.Incoming incoming) {
        this.loop = loop;
        this.incoming = incoming;
        this.sockets = sockets;
        this.descriptors = descriptors;
    }

    /** From any thread; what is done with it is done on the loop. */
    Optional<Link> of(long contextId) {
        return Optional.ofNullable(links.get(contextId));
    }

    /** From any thread. A link that is registered twice, as while its host is replaced, is one, and goes with the last of them. */
    synchronized void add(VsockLink address) {
        if (holders.merge(address, 1, Integer::sum) > 1) {
            return;
        }
        Link link = new Link(loop, address, random::nextInt, incoming);
        Optional<Link> old = Optional.ofNullable(links.put(address.contextId(), link));
        loop.execute(() -> {
            old.ifPresent(former -> former.end("its host has registered another"));
            ask(link, FIRST_PAUSE);
        });
    }

    /** From any thread. */
    synchronized void remove(VsockLink address) {
        holders.computeIfPresent(address, (link, count) -> count == 1 ? null : count - 1);
        if (holders.containsKey(address)) {
            return;
        }
        loop.execute(() -> of(address.contextId())
                .filter(link -> link.address().equals(address))
                .ifPresent(link -> {
                    links.remove(address.contextId());
                    link.end("no host has a link to context id " + address.contextId() + " any more");
                }));
    }

    /** Ends all links and gives back what they hold. Nothing may be added any more. */
    void stop() throws InterruptedException {
        keepers.shutdown();
        keepers.awaitTermination(1, TimeUnit.MINUTES);
        loop.execute(() -> {
            List<Link> all = List.copyOf(links.values());
            links.clear();
            all.forEach(link -> link.end("the transport stops"));
        });
    }

    private void ask(Link link, Duration pause) {
        Runnable asking = () -> {
            try {
                Attachment made =
                        Attachment.to(sockets, descriptors, link.address().keeper());
                loop.execute(() -> attach(link, made));
            } catch (Attachment.HeldException e) {
                loop.execute(() -> again(link, FIRST_PAUSE));
            } catch (IOException e) {
                LOG.debug("no link to context id {} yet", link.address().contextId(), e);
                loop.execute(() -> again(link, pause));
            }
        };
        try {
            keepers.execute(asking);
        } catch (RejectedExecutionException e) {
            LOG.debug("no link to context id {} any more", link.address().contextId(), e);
        }
    }

    private void attach(Link link, Attachment made) {
        if (links.get(link.address().contextId()) != link || !loop.accepting()) {
            made.close();
            return;
        }
        try {
            link.attach(made, () -> again(link, FIRST_PAUSE));
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn("the link to context id {} cannot be used", link.address().contextId(), e);
            again(link, LONGEST_PAUSE);
        }
    }

    private void again(Link link, Duration pause) {
        if (links.get(link.address().contextId()) != link) {
            return;
        }
        Duration doubled = pause.multipliedBy(2);
        Duration next = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
        loop.after(pause, () -> {
            if (links.get(link.address().contextId()) == link) {
                ask(link, next);
            }
        });
    }
}
