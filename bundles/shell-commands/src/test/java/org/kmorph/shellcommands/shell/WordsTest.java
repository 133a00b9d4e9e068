// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class WordsTest {
    @Test
    void quotesKeepWordsTogetherAndNothingElseIsSpecial() {
        assertThat(Words.split("  a 'b c' \"d e\" f\\ g '' h|i $x ; {y}"))
                .containsExactly("a", "b c", "d e", "f g", "", "h|i", "$x", ";", "{y}");
        assertThat(Words.split("--name='a \\ b' \"q\\\"q\"")).containsExactly("--name=a \\ b", "q\"q");
        assertThat(Words.split(" ")).isEmpty();
    }

    @Test
    void anOpenQuoteIsAnError() {
        assertThatThrownBy(() -> Words.split("a 'b")).hasMessage("the quote ' is not closed");
    }
}
