// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyParserTest {
    private static List<Key> keys(String typed) {
        KeyParser parser = new KeyParser();
        List<Key> keys = new ArrayList<>();
        typed.replace('^', '\033').chars().forEach(code -> parser.accept(code).ifPresent(keys::add));
        return keys;
    }

    @ParameterizedTest
    @CsvSource({
        "^[A, UP",
        "^OA, UP",
        "k, UP",
        "^[1;5B, DOWN",
        "j, DOWN",
        "^[5~, PAGE_UP",
        "^[6~, PAGE_DOWN",
        "^[H, HOME",
        "^[1~, HOME",
        "^OF, END",
        "^[8~, END",
        "q, QUIT",
        "^q, QUIT"
    })
    void keysAreKnownInEveryFormThatTerminalsSend(String typed, Key.Kind kind) {
        assertThat(keys(typed)).containsExactly(Key.of(kind));
    }

    @Test
    void controlCAndControlDEndIt() {
        assertThat(keys("\003\004")).containsExactly(Key.of(Key.Kind.QUIT), Key.of(Key.Kind.QUIT));
    }

    @Test
    void lettersComeAsTheyAre() {
        assertThat(keys("cx")).containsExactly(new Key(Key.Kind.LETTER, 'c'), new Key(Key.Kind.LETTER, 'x'));
    }

    @Test
    void whatIsNotKnownIsPassedOverAsAWhole() {
        assertThat(keys("^[15~^[200~^[Z^[?1;2cr")).containsExactly(new Key(Key.Kind.LETTER, 'r'));
    }

    @Test
    void anEndlessSequenceIsNone() {
        assertThat(keys("^[" + "1".repeat(100) + "c")).contains(new Key(Key.Kind.LETTER, 'c'));
    }

    @Test
    void theEndOfInputIsTheEnd() {
        assertThat(new KeyParser().accept(-1)).contains(Key.of(Key.Kind.QUIT));
    }
}
