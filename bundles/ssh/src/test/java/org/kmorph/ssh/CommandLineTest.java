// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.kmorph.ssh.CommandLine.MalformedException;

class CommandLineTest {
    @Test
    void spacesPartWords() throws MalformedException {
        assertThat(CommandLine.split("  list\t -o  json ")).containsExactly("list", "-o", "json");
        assertThat(CommandLine.split("")).isEmpty();
    }

    @Test
    void quotesKeepWordsTogether() throws MalformedException {
        assertThat(CommandLine.split("a'b c'\"d e\"f\\ g")).containsExactly("ab cd ef g");
        assertThat(CommandLine.split("'' \"\"")).isEqualTo(List.of("", ""));
        assertThat(CommandLine.split("--kernel-cmdline=\"quiet \\\"x\\\" \\n $HOME|\""))
                .containsExactly("--kernel-cmdline=quiet \"x\" \\n $HOME|");
        assertThat(CommandLine.split("'a\\b'")).containsExactly("a\\b");
    }

    @Test
    void whatAShellWouldTakeAsItsOwnIsRefused() {
        for (String line :
                List.of("list | x", "a;b", "a && b", "a > b", "a < b", "$(a)", "`a`", "$a", "(a)", "a\nb", "a\0b")) {
            assertThatThrownBy(() -> CommandLine.split(line))
                    .as(line)
                    .hasMessageContaining("means something to a shell");
        }
    }

    @Test
    void lineThatEndsWithinAQuoteIsRefused() {
        for (String line : List.of("'a", "\"a", "a\\", "\"a\\")) {
            assertThatThrownBy(() -> CommandLine.split(line)).as(line).hasMessageContaining("the line ends where");
        }
    }
}
