// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.IOException;
import java.io.OutputStream;

/**
 * What a terminal does with a program's output: a line feed on its own also returns the carriage (ONLCR of termios(3)). A line
 * feed after a carriage return passes as it is. Thread-safe.
 */
final class TerminalOutput extends OutputStream {
    private final OutputStream out;
    private int last;

    TerminalOutput(OutputStream out) {
        this.out = out;
    }

    @Override
    public synchronized void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
        int from = offset;
        for (int i = offset; i < offset + length; i++) {
            if (bytes[i] == '\n' && last != '\r') {
                out.write(bytes, from, i - from);
                out.write('\r');
                from = i;
            }
            last = bytes[i];
        }
        out.write(bytes, from, offset + length - from);
    }

    @Override
    public synchronized void flush() throws IOException {
        out.flush();
    }

    @Override
    public synchronized void close() throws IOException {
        out.close();
    }
}
