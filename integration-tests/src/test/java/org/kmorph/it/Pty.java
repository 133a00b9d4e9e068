// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import com.pty4j.PtyProcess;
import com.pty4j.PtyProcessBuilder;
import com.pty4j.WinSize;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;

/** A program on a pseudo-terminal, and a person before it: types, and reads what stands there. */
public final class Pty implements AutoCloseable {
    static final int COLUMNS = 100;
    static final int ROWS = 30;

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final PtyProcess process;
    private final Consumer<String> screen;
    private final StringBuffer seen = new StringBuffer();
    private int read;

    private Pty(PtyProcess process, Consumer<String> screen) {
        this.process = process;
        this.screen = screen;
        Thread reader = new Thread(this::drain, "pty-reader");
        reader.setDaemon(true);
        reader.start();
    }

    public static Pty run(List<String> words) {
        return run(words, Map.of(), text -> {});
    }

    /** @param screen is shown all that comes, as it comes, before it can be waited for */
    public static Pty run(List<String> words, Map<String, String> more, Consumer<String> screen) {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.put("TERM", "xterm");
        environment.remove("KMORPH_SOCKET");
        environment.putAll(more);
        try {
            return new Pty(
                    new PtyProcessBuilder(words.toArray(String[]::new))
                            .setEnvironment(environment)
                            .setInitialColumns(COLUMNS)
                            .setInitialRows(ROWS)
                            .start(),
                    screen);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void drain() {
        char[] text = new char[4096];
        try (Reader in = new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)) {
            for (int n = in.read(text); n > 0; n = in.read(text)) {
                String more = new String(text, 0, n);
                screen.accept(more);
                seen.append(more);
            }
        } catch (IOException e) {
            seen.append("[the terminal failed: ").append(e.getMessage()).append(']');
        }
    }

    /** Waits until the text has come, behind all that was waited for before; what came until then is returned. */
    public String await(String text) {
        try {
            Awaitility.await().atMost(PATIENCE).pollDelay(Duration.ZERO).until(() -> seen.indexOf(text, read) >= 0);
        } catch (org.awaitility.core.ConditionTimeoutException e) {
            throw new AssertionError("\"" + text + "\" did not come; there stands: " + seen.substring(read), e);
        }
        int end = seen.indexOf(text, read) + text.length();
        String before = seen.substring(read, end);
        read = end;
        return before;
    }

    public Pty type(String text) {
        try {
            process.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    void resize(int columns, int rows) {
        process.setWinSize(new WinSize(columns, rows));
    }

    /** Waits for the end of the program. */
    public int status() throws InterruptedException {
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("still runs; there stands: " + seen.substring(read));
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
