// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LineDisciplineTest {
    private final KeyInput input = new KeyInput();
    private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
    private final AtomicInteger cancelled = new AtomicInteger();
    private final LineDiscipline discipline =
            new LineDiscipline(input, new TerminalOutput(screen), cancelled::incrementAndGet);

    @Test
    void lineIsHandedOverWhenItEnds() throws Exception {
        type("list");
        assertThat(input.available()).isZero();
        type("\r");
        assertThat(read()).isEqualTo("list\n");
        assertThat(shown()).isEqualTo("list\r\n");
    }

    @Test
    void lineCanBeEdited() throws Exception {
        type("one twö\u007f\u007f\u007f\b\b\u0017three \u0001\u007fx\u0017four\u0015five\n");
        assertThat(read()).isEqualTo("five\n");
        type("a b\u0017c\n");
        assertThat(read()).isEqualTo("a c\n");
        type("\u007f\u007fok\n");
        assertThat(read()).isEqualTo("ok\n");
    }

    @Test
    void erasingTakesAWholeCharacterFromLineAndScreen() throws Exception {
        type("ä€\u007f\u007f");
        assertThat(shown()).isEqualTo("ä€\b \b\b \b");
        type("\r");
        assertThat(read()).isEqualTo("\n");
    }

    @Test
    void controlCCancelsAndForgetsTheLine() throws Exception {
        type("abc\u0003def\r");
        assertThat(cancelled).hasValue(1);
        assertThat(read()).isEqualTo("def\n");
    }

    @Test
    void controlDHandsOverWhatIsThereAndThenEndsTheFile() throws Exception {
        type("abc\u0004");
        assertThat(read()).isEqualTo("abc");
        type("\u0004");
        assertThat(input.read()).isEqualTo(-1);
        type("more\r");
        assertThat(read()).isEqualTo("more\n");
    }

    @Test
    void rawModeHandsOverEachKeyAndShowsNothing() throws Exception {
        type("ab");
        discipline.raw(true);
        type("\u0003\u0004\r");
        assertThat(read()).isEqualTo("ab\u0003\u0004\r");
        assertThat(cancelled).hasValue(0);
        assertThat(shown()).isEqualTo("ab");
    }

    @Test
    void lineThatIsTooLongRingsTheBellAndStaysBounded() throws Exception {
        type("x".repeat(5000) + "\r");
        assertThat(read()).hasSize(4096).endsWith("x\n");
        assertThat(shown()).contains("\u0007");
    }

    @Test
    void inputThatNobodyReadsIsBounded() throws Exception {
        for (int i = 0; i < 100; i++) {
            type("x".repeat(4000) + "\r");
        }
        assertThat(input.available()).isEqualTo(64 << 10);
    }

    @Test
    void outputReturnsTheCarriageOnce() throws IOException {
        try (TerminalOutput out = new TerminalOutput(screen)) {
            out.write("a\nb\r\nc\n\n".getBytes(UTF_8));
            out.write('\r');
            out.write('\n');
        }
        assertThat(shown()).isEqualTo("a\r\nb\r\nc\r\n\r\n\r\n");
    }

    private void type(String keys) throws IOException, InterruptedException {
        byte[] bytes = keys.getBytes(UTF_8);
        discipline.type(bytes, bytes.length);
    }

    private String read() throws IOException {
        byte[] bytes = new byte[128 << 10];
        return new String(bytes, 0, input.read(bytes, 0, bytes.length), UTF_8);
    }

    private String shown() {
        return screen.toString(UTF_8);
    }
}
