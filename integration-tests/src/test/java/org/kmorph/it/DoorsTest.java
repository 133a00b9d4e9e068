// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One command set behind three doors, and who may do what at each. */
class DoorsTest {
    private static final String INTERRUPT = "\u0003";
    private static final String END_OF_FILE = "\u0004";

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    private static SshClient admin;
    private static SshClient viewer;

    @BeforeAll
    static void makeKeys() throws IOException {
        admin = SshClient.as(KMORPH, "admin", "alice");
        viewer = SshClient.as(KMORPH, "viewer", "victor");
        Files.createDirectories(KMORPH.home().resolve("etc/scripts"));
        Files.writeString(KMORPH.home().resolve("etc/scripts/ours.gosh"), "bundle list -o json | grep $1 | wc -l\n");
    }

    private static Pty shell() {
        return Pty.run(List.of(KMORPH.home().resolve("bin/kmorphctl").toString(), "shell"));
    }

    @Test
    void everyDoorGivesTheSameAnswer() {
        // Gogo's own words are started for the first shell
        KMORPH.ctl("shell", "--command", "echo").ok();
        Result socket = KMORPH.ctl("bundle", "list", "-o", "json").ok();
        assertThat(admin.run("", "bundle", "list", "-o", "json").ok().out()).isEqualTo(socket.out());
        assertThat(viewer.run("", "bundle", "list", "-o", "json").ok().out()).isEqualTo(socket.out());
        assertThat(KMORPH.ctl("shell", "--command", "bundle list -o json").ok().out())
                .isEqualTo(socket.out());
        assertThat(admin.run("bundle list -o json\n").ok().out()).isEqualTo(socket.out());
    }

    @Test
    void everyDoorGivesTheSameFailure() {
        for (Result result : List.of(
                KMORPH.ctl("bundel", "list"),
                viewer.run("", "bundel", "list"),
                admin.run("", "bundel", "list"),
                KMORPH.ctl("shell", "--command", "bundel list"))) {
            assertThat(result.status()).as(result.err()).isEqualTo(2);
            assertThat(result.err()).contains("unknown command \"bundel").contains("did you mean bundle");
            assertThat(result.out()).isEmpty();
        }
    }

    @Test
    void theShellOfATerminalCompletesCancelsAndEnds() throws Exception {
        try (Pty shell = shell()) {
            shell.await("kmorph# ");
            shell.type("bundle li\t");
            shell.await("list");
            shell.type("-o json | grep kmorph.control | wc -l\r");
            shell.await("[?2004l1"); // behind the sequence that ends the line editor
            shell.await("kmorph# ");
            shell.type("this is not wanted" + INTERRUPT);
            shell.await("kmorph# ");
            shell.type("sleep 600\r");
            shell.await("sleep 600");
            shell.type(INTERRUPT);
            shell.await("kmorph# ");
            shell.type("daemon status\r");
            shell.await("running");
            shell.await("kmorph# ");
            shell.type("bundle uninstall no.such.bundle\r");
            shell.await("no.such.bundle");
            shell.await("kmorph# ");
            shell.type("exit\r");
            assertThat(shell.status()).isEqualTo(1);
        }
        try (Pty shell = shell()) {
            shell.await("kmorph# ");
            shell.type(END_OF_FILE);
            assertThat(shell.status()).isZero();
        }
    }

    @Test
    void theShellOverSshIsTheSameAndAViewersHasCommandsAlone() throws Exception {
        try (Pty shell = Pty.run(viewer.command(List.of("-t")))) {
            shell.await("kmorph> ");
            shell.type("daemon stat\t");
            shell.await("us");
            shell.type("\r");
            shell.await("running");
            shell.await("kmorph> ");
            shell.type("bundle list | grep ssh\r");
            shell.await("one word too many");
            shell.await("kmorph> ");
            shell.type("x = 1\r");
            shell.await("unknown command");
            shell.await("kmorph> ");
            shell.type("exit\r");
            assertThat(shell.status()).isEqualTo(2);
        }
    }

    @Test
    void scriptsAreWordsOfAdminsAlone() {
        for (Result result : List.of(
                KMORPH.ctl("shell", "--command", "ours org.kmorph.ssh"), admin.run("", "ours", "org.kmorph.ssh"))) {
            assertThat(result.ok().out().strip()).isEqualTo("1");
        }
        assertThat(viewer.run("", "ours", "x").status()).isEqualTo(2);
    }

    @Test
    void gogoHasVariablesAndClosures() {
        Result result = KMORPH.ctl("shell", "--command", "f = { echo got $1 } ; x = kernel ; f $x | grep got");
        assertThat(result.ok().out()).isEqualTo("got kernel\n");
    }

    @Test
    void aStrangerAndAPasswordGetNothing() {
        Result stranger = SshClient.stranger(KMORPH, "mallory").run("", "daemon", "status");
        assertThat(stranger.status()).isEqualTo(255);
        assertThat(stranger.out()).isEmpty();
        assertThat(stranger.err()).contains("Permission denied (publickey)");
    }

    @Test
    void aKeyThatIsTakenOutCountsNoMore() {
        SshClient leaver = SshClient.as(KMORPH, "viewer", "leo");
        leaver.run("", "daemon", "status").ok();
        leaver.revoke();
        assertThat(leaver.run("", "daemon", "status").status()).isEqualTo(255);
    }

    @Test
    void theSocketKnowsItsPeersByTheirCredentials() throws IOException {
        try (Kmorph kmorph = Kmorph.unpack()) {
            kmorph.configure("org.kmorph.control.cfg", "group = nogroup");
            kmorph.start();
            Unprivileged nobody = Unprivileged.user(kmorph);
            String ctl = kmorph.home().resolve("bin/kmorphctl").toString();
            String socket = "--socket=" + kmorph.home().resolve("run/control.sock");
            Result without = nobody.run(ctl, socket, "daemon", "status");
            assertThat(without.status()).as(without.err()).isEqualTo(5);
            assertThat(without.err()).contains("nobody").contains("org.kmorph.control.roles.cfg");

            kmorph.configure("org.kmorph.control.roles.cfg", "viewer.users = nobody");
            kmorph.ctl("daemon", "reload").ok();
            nobody.run(ctl, socket, "daemon", "status").ok();
            assertThat(nobody.run(ctl, socket, "daemon", "reload").status()).isEqualTo(5);

            kmorph.configure("org.kmorph.control.roles.cfg", "operator.groups = nogroup");
            kmorph.ctl("daemon", "reload").ok();
            Result operator = nobody.run(ctl, socket, "daemon", "reload");
            assertThat(operator.err()).contains("has the role operator");
        }
    }

    @Test
    void whatChangesAndWhatWasRefusedIsOnRecord() {
        KMORPH.ctl("bundle", "uninstall", "no.such.one");
        viewer.run("", "bundle", "uninstall", "no.such.two");
        List<Map<String, Object>> rows = KMORPH.ctl("audit", "-o", "json").ok().jsonRows();
        assertThat(rows).anySatisfy(row -> assertThat(row)
                .containsEntry("door", "socket")
                .containsEntry("caller", "root")
                .containsEntry("words", "bundle uninstall no.such.one")
                .containsEntry("result", "failed"));
        assertThat(rows).anySatisfy(row -> assertThat(row)
                .containsEntry("door", "ssh")
                .containsEntry("caller", "victor")
                .containsEntry("words", "bundle uninstall no.such.two")
                .containsEntry("result", "denied"));
    }

    @Test
    void bashCompletesWhatTheDaemonKnows() {
        String script = "source share/completion/kmorphctl.bash; COMP_LINE='kmorphctl bundle li'; "
                + "COMP_POINT=${#COMP_LINE} COMP_WORDS=(bin/kmorphctl bundle li) COMP_CWORD=2; _kmorphctl; "
                + "echo ${COMPREPLY[@]}";
        Result completed = Programs.run(KMORPH.home(), Map.of(), "", List.of("bash", "-c", script));
        assertThat(completed.ok().out()).isEqualTo("list\n");
    }

    @Test
    void fishCompletesWhatTheDaemonKnowsAndFilesOnlyWhereItKnowsNothing() {
        String script = "set PATH $PWD/bin $PATH; source share/completion/kmorphctl.fish; complete -C 'kmorphctl ";
        for (Map.Entry<String, String> typed :
                Map.of("bundle li", "list\t", "no such word LIC", "LICENSE").entrySet()) {
            Result completed = Programs.run(
                    KMORPH.home(), Map.of(), "", List.of("fish", "--no-config", "-c", script + typed.getKey() + "'"));
            assertThat(completed.ok().out().lines()).singleElement().asString().startsWith(typed.getValue());
        }
    }

    @Test
    void zshCompletesWhatTheDaemonKnows() {
        try (Pty zsh = Pty.run(List.of("zsh", "-f"))) {
            zsh.type("cd '" + KMORPH.home() + "'; path=($PWD/bin $path); autoload -Uz compinit; compinit -u -D; "
                    + "source share/completion/kmorphctl.zsh; echo re''ady\r");
            zsh.await("ready");
            zsh.type("kmorphctl bundle li\t");
            zsh.await("bundle list");
        }
    }

    @Test
    void everyCommandHasItsManPageAndItsHelpAnExample() {
        List<String> commands = KMORPH.ctl("help")
                .ok()
                .out()
                .lines()
                .filter(line -> line.startsWith("  "))
                .map(line -> line.strip().split(" {2,}")[0])
                .toList();
        assertThat(commands).contains("bundle list", "daemon stop");
        for (String command : commands) {
            assertThat(KMORPH.home().resolve("share/man/man1/kmorphctl-" + command.replace(' ', '-') + ".1"))
                    .isNotEmptyFile();
            assertThat(KMORPH.ctl((command + " --help").split(" ")).ok().out())
                    .as(command)
                    .containsIgnoringCase("example");
        }
    }
}
