// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.attribute.UserPrincipal;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.Door;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.nativeos.Accounts;
import org.kmorph.nativeos.ErrnoException;

/**
 * Who is at the other end of a Unix socket: by what the kernel says of the process that connected (SO_PEERCRED, unix(7)) and the
 * group database, never by what the client says. May wait for a slow name service.
 */
final class PeerIdentifier implements ControlServer.PeerAuthority {
    private final Accounts accounts;
    private final UserPrincipal self;
    private final UserPrincipal root;
    private final Supplier<RoleTable> roles;

    /**
     * @param root the user that is admin whatever else is broken
     * @param self the user of this process
     * @param roles asked once a call
     */
    PeerIdentifier(Accounts accounts, UserPrincipal root, UserPrincipal self, Supplier<RoleTable> roles) {
        this.accounts = accounts;
        this.root = root;
        this.self = self;
        this.roles = roles;
    }

    /** The user with number 0, whatever his name. */
    static UserPrincipal superuser() throws IOException {
        return FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName("0");
    }

    @Override
    public Caller identify(SocketChannel channel) throws Refusal {
        UnixDomainPrincipal peer;
        try {
            peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED);
        } catch (IOException e) {
            throw denied("the daemon cannot tell who you are: " + e.getMessage());
        }
        String name = peer.user().getName();
        if (peer.user().equals(root)) {
            // without asking the name service: root must get in when that is broken
            return new Caller(name, Role.ADMIN, Door.SOCKET, "uid=0");
        }
        try {
            Optional<Accounts.User> user = accounts.user(name);
            // one without an account has his number for a name
            String number = user.map(u -> Long.toString(u.uid())).orElse(name);
            Role role = peer.user().equals(self) ? Role.ADMIN : role(peer, name, number, user);
            return new Caller(name, role, Door.SOCKET, "uid=" + number);
        } catch (ErrnoException e) {
            throw denied("the daemon cannot tell the groups of user " + name + ": " + e.getMessage());
        }
    }

    private Role role(UnixDomainPrincipal peer, String name, String number, Optional<Accounts.User> user)
            throws Refusal, ErrnoException {
        Set<String> groups = new LinkedHashSet<>();
        groups.add(peer.group().getName());
        if (user.isPresent()) {
            for (Accounts.Group group : accounts.groups(user.get())) {
                groups.add(group.name());
                groups.add(Long.toString(group.gid()));
            }
        }
        return roles.get()
                .roleOf(List.of(name, number), groups)
                .orElseThrow(
                        () -> denied("user " + name + " has no role on the control socket; an admin can give one in "
                                + "etc/org.kmorph.control.roles.cfg"));
    }

    private static Refusal denied(String why) {
        return new Refusal(ExitCode.DENIED, why);
    }
}
