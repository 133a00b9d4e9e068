// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/**
 * What a terminal does with the keys that are typed, as termios(3) describes it: in line mode it shows them, lets the line be
 * edited, hands it over when it ends, and takes Ctrl-C as a cancellation; in raw mode it hands over each key. Ssh's client has
 * put the real terminal into raw mode, so this is done here. Fed by one thread; the mode may be set by another.
 */
final class LineDiscipline {
    private static final int LONGEST_LINE = 4096;
    private static final int CTRL_C = 3;
    private static final int CTRL_D = 4;
    private static final int BELL = 7;
    private static final int BACKSPACE = 8;
    private static final int CTRL_U = 21;
    private static final int CTRL_W = 23;
    private static final int DELETE = 127;
    private static final byte[] ERASE = {'\b', ' ', '\b'};

    private final KeyInput input;
    private final OutputStream echo;
    private final Runnable cancel;
    private final byte[] line = new byte[LONGEST_LINE];
    private int length;
    private volatile boolean raw;

    /**
     * @param input takes what the command is to read
     * @param echo shows what is typed
     * @param cancel called for Ctrl-C in line mode
     */
    LineDiscipline(KeyInput input, OutputStream echo, Runnable cancel) {
        this.input = input;
        this.echo = echo;
        this.cancel = cancel;
    }

    void raw(boolean now) {
        raw = now;
    }

    /** Takes what came from the client. In raw mode it waits while the command does not read. */
    void type(byte[] keys, int count) throws IOException, InterruptedException {
        int at = 0;
        while (at < count && !raw) {
            typeInLineMode(keys[at++]);
        }
        echo.flush();
        if (at < count) {
            // what was typed before the mode changed can be read too, as on a terminal
            handOver();
            input.put(keys, at, count - at);
        }
    }

    private void typeInLineMode(byte key) throws IOException {
        switch (key) {
            case CTRL_C -> {
                echo.write(new byte[] {'^', 'C', '\n'});
                length = 0;
                cancel.run();
            }
            case CTRL_D -> {
                boolean empty = length == 0;
                handOver();
                if (empty) {
                    input.typeEnd();
                }
            }
            case BACKSPACE, DELETE -> eraseCharacter();
            case CTRL_U -> {
                while (length > 0) {
                    eraseCharacter();
                }
            }
            case CTRL_W -> eraseWord();
            case '\r', '\n' -> {
                echo.write('\n');
                line[length++] = '\n';
                handOver();
            }
            default -> {
                // one place is kept for the end of the line
                if (length == LONGEST_LINE - 1) {
                    echo.write(BELL);
                    return;
                }
                line[length++] = key;
                show(key);
            }
        }
    }

    private void show(byte key) throws IOException {
        if (key >= 0 && key < ' ' && key != '\t') {
            echo.write('^');
            echo.write(key + '@');
        } else {
            echo.write(key);
        }
    }

    private void eraseCharacter() throws IOException {
        if (length == 0) {
            return;
        }
        // the bytes 10xxxxxx continue a character of UTF-8
        while (length > 1 && (line[length - 1] & 0xC0) == 0x80) {
            length--;
        }
        byte erased = line[--length];
        echo.write(ERASE);
        if (erased >= 0 && erased < ' ' && erased != '\t') {
            echo.write(ERASE);
        }
    }

    private void eraseWord() throws IOException {
        while (length > 0 && line[length - 1] == ' ') {
            eraseCharacter();
        }
        while (length > 0 && line[length - 1] != ' ') {
            eraseCharacter();
        }
    }

    private void handOver() throws IOException {
        if (input.offer(line, 0, length) < length) {
            echo.write(BELL);
        }
        Arrays.fill(line, 0, length, (byte) 0);
        length = 0;
    }
}
