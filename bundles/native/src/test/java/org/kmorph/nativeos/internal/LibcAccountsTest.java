// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.kmorph.nativeos.Accounts;
import org.kmorph.nativeos.Accounts.Group;
import org.kmorph.nativeos.Accounts.User;

class LibcAccountsTest {
    private final Accounts accounts = new LibcAccounts();

    @Test
    void rootIsUserZero() throws IOException {
        assertThat(accounts.user("root")).contains(new User("root", 0, 0));
        assertThat(accounts.user(0)).contains(new User("root", 0, 0));
    }

    @Test
    void unknownUsersAreEmpty() throws IOException {
        assertThat(accounts.user("no-such-user-at-all")).isEmpty();
        assertThat(accounts.user("")).isEmpty();
        assertThat(accounts.user(4_000_000_001L)).isEmpty();
    }

    @Test
    void impossibleUsersAreRefusedByName() {
        assertThatThrownBy(() -> accounts.user("ro\0ot")).hasMessageContaining("ro\\0ot");
        assertThatThrownBy(() -> accounts.user(-1)).hasMessageContaining("-1");
        assertThatThrownBy(() -> accounts.user(1L << 32)).hasMessageContaining("4294967296");
    }

    @Test
    void selfIsWhoTheKernelSaysWeAre() throws IOException {
        assertThat(accounts.self().uid())
                .isEqualTo(((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid")).longValue());
    }

    @Test
    void everyUserHasTheGroupsThatIdTells() throws IOException, InterruptedException {
        List<String> names = Files.readAllLines(Path.of("/etc/passwd")).stream()
                .filter(line -> line.contains(":"))
                .map(line -> line.substring(0, line.indexOf(':')))
                .limit(20)
                .toList();
        for (String name : names) {
            List<Group> groups = accounts.groups(accounts.user(name).orElseThrow());
            assertThat(groups.stream().map(group -> Long.toString(group.gid())).collect(Collectors.toSet()))
                    .as("groups of %s", name)
                    .isEqualTo(id("-G", name));
            assertThat(groups.stream().map(Group::name).collect(Collectors.toSet()))
                    .as("group names of %s", name)
                    .isEqualTo(id("-Gn", name));
        }
    }

    @Test
    void primaryGroupWithoutNameIsCalledByItsNumber() throws IOException {
        assertThat(accounts.groups(new User("no-such-user-at-all", 4_000_000_001L, 4_000_000_002L)))
                .containsExactly(new Group("4000000002", 4_000_000_002L));
    }

    private static TreeSet<String> id(String option, String user) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("id", option, user).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return new TreeSet<>(Arrays.asList(out.strip().split(" ")));
    }
}
