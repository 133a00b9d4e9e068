// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jline.terminal.Terminal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.Session;

@Timeout(30)
class ShellTerminalTest {
    private final PipedOutputStream keys = new PipedOutputStream();

    /** A terminal of which nothing matters but its type. */
    private static final class Xterm implements CallerTerminal {
        @Override
        public String type() {
            return "xterm";
        }

        @Override
        public int columns() {
            return 80;
        }

        @Override
        public int rows() {
            return 24;
        }

        @Override
        public boolean colour() {
            return false;
        }

        @Override
        public AutoCloseable onResize(Runnable listener) {
            return () -> {};
        }

        @Override
        public void raw(boolean raw) {
            // it always is
        }
    }

    private Session session() throws Exception {
        InputStream in = new PipedInputStream(keys);
        PrintStream out = new PrintStream(new ByteArrayOutputStream());
        return new ShellSession(null, in, out, out, Optional.of(new Xterm()));
    }

    @Test
    void inRawModeControlCIsAKeyAndOutsideOfItASignal() throws Exception {
        try (ShellTerminal terminal = new ShellTerminal(session(), new Xterm())) {
            List<Terminal.Signal> signals = new ArrayList<>();
            terminal.terminal().handle(Terminal.Signal.INT, signals::add);
            Session inner = terminal.inner();
            CallerTerminal caller = inner.terminal().orElseThrow();
            caller.raw(true);
            keys.write(3);
            keys.flush();
            assertThat(inner.in().read()).isEqualTo(3);
            assertThat(signals).isEmpty();
            caller.raw(false);
            keys.write("\003x\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            keys.flush();
            assertThat(inner.in().read()).isEqualTo('x');
            assertThat(signals).containsExactly(Terminal.Signal.INT);
        }
    }
}
