// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.kmorph.api.host.HostException;

/**
 * The one network of the machines that have an address: datagrams to a multicast group of this machine's loopback device carry their
 * frames, so that each hears what any says and takes what is for its card. Two kernels with one address have the same card's address too,
 * which is made of it: docs/morph.md says who of them answers.
 *
 * @param group ADDRESS:PORT of the multicast group
 * @param card the card's address
 */
record Network(String group, String card) {
    private static final Pattern ADDRESS =
            Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/([1-9]|[12]\\d|3[0-2])");
    private static final Pattern GROUP =
            Pattern.compile("(?:22[4-9]|23\\d)\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3}):(\\d{1,5})");

    /**
     * What an instance gets; empty for one without an address.
     *
     * @param configured the group, from the configuration; empty when there is none
     */
    static Optional<Network> of(Optional<String> address, String configured) throws HostException {
        if (address.isEmpty()) {
            return Optional.empty();
        }
        if (!isGroup(configured)) {
            throw new HostException("host qemu has no network to have the address " + address.get()
                    + " in: network in etc/org.kmorph.host-qemu.cfg is \"" + configured
                    + "\"; it must be a multicast group and port, as 239.192.77.1:17700");
        }
        Matcher parts = ADDRESS.matcher(address.get());
        if (!parts.matches()) {
            throw new HostException(
                    "\"" + address.get() + "\" is no IPv4 address with the bits of its network, as 10.0.0.5/24");
        }
        StringBuilder card = new StringBuilder("52:54");
        for (int part = 1; part <= 4; part++) {
            int value = Integer.parseInt(parts.group(part));
            if (value > 255) {
                throw new HostException("\"" + address.get() + "\" is no IPv4 address: " + value + " is over 255");
            }
            card.append(String.format(Locale.ROOT, ":%02x", value));
        }
        return Optional.of(new Network(configured, card.toString()));
    }

    private static boolean isGroup(String configured) {
        Matcher parts = GROUP.matcher(configured);
        if (!parts.matches()) {
            return false;
        }
        int port = Integer.parseInt(parts.group(4));
        return IntStream.rangeClosed(1, 3).allMatch(part -> Integer.parseInt(parts.group(part)) <= 255)
                && port > 0
                && port <= 65535;
    }

    /** For QEMU. */
    List<String> words() {
        return List.of(
                "-netdev",
                "socket,id=net,mcast=" + group + ",localaddr=127.0.0.1",
                "-device",
                "virtio-net-pci,netdev=net,romfile=,mac=" + card);
    }
}
