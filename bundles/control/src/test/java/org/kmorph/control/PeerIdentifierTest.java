// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.annotation.Annotation;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.Door;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.nativeos.Accounts;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;

/** A real connection of this very user, who is root, the daemon's user or a stranger as each test says. */
class PeerIdentifierTest {
    @TempDir
    private Path directory;

    private ServerSocketChannel listener;
    private SocketChannel client;
    private SocketChannel accepted;
    private UserPrincipal me;
    private UserPrincipal somebodyElse;
    private Names names = new Names();

    /** Roles as a file would give them. */
    private static class Names implements RolesConfig {
        private String viewerUsers = "";
        private String operatorGroups = "";
        private String adminGroups = "";

        @Override
        public String viewer_users() {
            return viewerUsers;
        }

        @Override
        public String viewer_groups() {
            return "";
        }

        @Override
        public String operator_users() {
            return "";
        }

        @Override
        public String operator_groups() {
            return operatorGroups;
        }

        @Override
        public String admin_users() {
            return "";
        }

        @Override
        public String admin_groups() {
            return adminGroups;
        }

        @Override
        public Class<? extends Annotation> annotationType() {
            return RolesConfig.class;
        }
    }

    @BeforeEach
    void connect() throws IOException {
        Path path = directory.resolve("s");
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(path));
        client = SocketChannel.open(UnixDomainSocketAddress.of(path));
        accepted = listener.accept();
        me = Files.getOwner(path);
        somebodyElse = FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName("54321");
    }

    @AfterEach
    void disconnect() throws IOException {
        accepted.close();
        client.close();
        listener.close();
    }

    /** An account database in which this user has number 1234 and the groups given. */
    private static Accounts accounts(String... groups) {
        return new Accounts() {
            @Override
            public Optional<User> user(String name) {
                return Optional.of(new User(name, 1234, 5678));
            }

            @Override
            public Optional<User> user(long uid) {
                return Optional.empty();
            }

            @Override
            public User self() {
                throw new UnsupportedOperationException("not asked by a door");
            }

            @Override
            public List<Group> groups(User user) {
                return List.of(groups).stream()
                        .map(g -> new Group(g, g.length()))
                        .toList();
            }
        };
    }

    private static Accounts broken() {
        return new Accounts() {
            @Override
            public Optional<User> user(String name) throws ErrnoException {
                throw new ErrnoException("getpwnam_r", name, Errno.EIO.number());
            }

            @Override
            public Optional<User> user(long uid) throws ErrnoException {
                throw new ErrnoException("getpwuid_r", "", Errno.EIO.number());
            }

            @Override
            public User self() throws ErrnoException {
                throw new ErrnoException("getpwuid_r", "", Errno.EIO.number());
            }

            @Override
            public List<Group> groups(User user) throws ErrnoException {
                throw new ErrnoException("getgrouplist", "", Errno.EIO.number());
            }
        };
    }

    private Caller asStranger(Accounts accounts) throws Refusal {
        return new PeerIdentifier(accounts, somebodyElse, somebodyElse, () -> new RoleTable(names)).identify(accepted);
    }

    @Test
    void rootIsAdminEvenWhenTheNameServiceIsBroken() throws Refusal {
        Caller caller = new PeerIdentifier(broken(), me, somebodyElse, () -> new RoleTable(names)).identify(accepted);
        assertThat(caller).isEqualTo(new Caller(me.getName(), Role.ADMIN, Door.SOCKET, "uid=0"));
    }

    @Test
    void userOfTheDaemonIsAdmin() throws Refusal {
        Caller caller = new PeerIdentifier(accounts(), somebodyElse, me, () -> new RoleTable(names)).identify(accepted);
        assertThat(caller).isEqualTo(new Caller(me.getName(), Role.ADMIN, Door.SOCKET, "uid=1234"));
    }

    @Test
    void whoIsNotListedGetsNothing() {
        assertThatThrownBy(() -> asStranger(accounts("staff")))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.code()).isEqualTo(ExitCode.DENIED))
                .hasMessageContaining("user " + me.getName() + " has no role")
                .hasMessageContaining("etc/org.kmorph.control.roles.cfg");
    }

    @Test
    void brokenNameServiceDeniesStrangers() {
        assertThatThrownBy(() -> asStranger(broken()))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.code()).isEqualTo(ExitCode.DENIED));
    }

    @Test
    void userIsMappedByNameOrNumber() throws Refusal {
        names.viewerUsers = "alice , " + me.getName();
        assertThat(asStranger(accounts()).role()).isEqualTo(Role.VIEWER);
        names.viewerUsers = "1234";
        assertThat(asStranger(accounts()).role()).isEqualTo(Role.VIEWER);
    }

    @Test
    void supplementaryGroupsCountByNameAndNumber() throws Refusal {
        names.operatorGroups = "wheel,runners";
        assertThat(asStranger(accounts("users", "runners")).role()).isEqualTo(Role.OPERATOR);
        names.operatorGroups = Integer.toString("runners".length());
        assertThat(asStranger(accounts("users", "runners")).role()).isEqualTo(Role.OPERATOR);
    }

    @Test
    void highestRoleWins() throws Refusal {
        names.viewerUsers = me.getName();
        names.operatorGroups = "runners";
        names.adminGroups = "chiefs";
        assertThat(asStranger(accounts("runners")).role()).isEqualTo(Role.OPERATOR);
        assertThat(asStranger(accounts("runners", "chiefs")).role()).isEqualTo(Role.ADMIN);
    }

    @Test
    void deniedClientIsToldAndExits5() throws Exception {
        try (TestDoor door = new TestDoor(
                        directory,
                        4,
                        TestDoor.PATIENCE,
                        new PeerIdentifier(accounts(), somebodyElse, somebodyElse, () -> new RoleTable(names)));
                Client denied = Client.run(door.socket, "echo", "secret")) {
            assertThat(denied.exit()).isEqualTo(5);
            assertThat(denied.out()).isEmpty();
            assertThat(denied.err()).startsWith("kmorphctl: user ").contains("has no role");
        }
    }
}
