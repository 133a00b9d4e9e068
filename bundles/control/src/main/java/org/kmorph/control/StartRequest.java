// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.api.command.ExitCode;

/**
 * What a client asks for: the START frame. Source: docs/control-protocol.md, "START".
 *
 * @param words the command
 * @param workingDirectory absolute
 * @param term the type of the caller's terminal, empty when it has none
 * @param stdoutIsTerminal whether what it prints is seen on a terminal
 * @param stderrIsTerminal the same of messages
 * @param noColour whether NO_COLOR is set
 * @param size the size of the terminal
 */
record StartRequest(
        List<String> words,
        Path workingDirectory,
        String term,
        boolean stdoutIsTerminal,
        boolean stderrIsTerminal,
        boolean noColour,
        WindowSize size) {
    static final int MAX_WORDS = 1024;

    private static final int TAG_WORD = 1;
    private static final int TAG_DIRECTORY = 2;
    private static final int TAG_TERM = 3;
    private static final int TAG_FLAGS = 4;
    private static final int TAG_SIZE = 5;

    private static final int FLAG_STDOUT = 1 << 1;
    private static final int FLAG_STDERR = 1 << 2;
    private static final int FLAG_NO_COLOR = 1 << 3;

    private static final int MAX_TERM = 64;

    /** Reads the payload of a START frame; throws when it makes no sense, or asks for a version that is not spoken here. */
    static StartRequest parse(byte[] payload) throws Refusal {
        ByteBuffer in = ByteBuffer.wrap(payload);
        int version = in.remaining() < Short.BYTES ? -1 : Short.toUnsignedInt(in.getShort());
        if (version < Frame.LOWEST_VERSION || version > Frame.HIGHEST_VERSION) {
            throw new Refusal(
                    ExitCode.DAEMON_UNREACHABLE,
                    "this daemon speaks version " + Frame.HIGHEST_VERSION
                            + " of the control protocol, the client asked for " + version
                            + "; use the kmorphctl of the same release");
        }
        Fields fields = new Fields();
        while (in.hasRemaining()) {
            if (in.remaining() < 1 + Short.BYTES) {
                throw Refusal.malformed("START ends inside a field");
            }
            int tag = Byte.toUnsignedInt(in.get());
            int length = Short.toUnsignedInt(in.getShort());
            if (length > in.remaining()) {
                throw Refusal.malformed(
                        "field " + tag + " of START says " + length + " bytes, and has " + in.remaining());
            }
            fields.set(tag, in.slice(in.position(), length));
            in.position(in.position() + length);
        }
        return fields.request();
    }

    /** What was read so far. Fields with tags that are not known here are of later clients, and passed over. */
    private static final class Fields {
        private final List<String> words = new ArrayList<>();
        private Path directory = Path.of("");
        private String term = "";
        private int flags;
        private WindowSize size = WindowSize.UNKNOWN;

        void set(int tag, ByteBuffer value) throws Refusal {
            switch (tag) {
                case TAG_WORD -> addWord(value);
                case TAG_DIRECTORY -> directory = path(value);
                case TAG_TERM -> term = term(value);
                case TAG_FLAGS -> flags = flags(value);
                case TAG_SIZE -> size = WindowSize.read(value);
                default -> {}
            }
        }

        private void addWord(ByteBuffer value) throws Refusal {
            if (words.size() == MAX_WORDS) {
                throw new Refusal(ExitCode.USAGE, "more than " + MAX_WORDS + " words in one command");
            }
            words.add(text("word " + (words.size() + 1), value));
        }

        private static Path path(ByteBuffer value) throws Refusal {
            String text = text("the working directory", value);
            try {
                Path path = Path.of(text);
                if (path.isAbsolute()) {
                    return path;
                }
            } catch (InvalidPathException e) {
                // said below, as of one that is not absolute
            }
            throw Refusal.malformed("the working directory is no absolute path");
        }

        private static String term(ByteBuffer value) throws Refusal {
            if (value.remaining() > MAX_TERM) {
                throw Refusal.malformed("a terminal type of more than " + MAX_TERM + " bytes");
            }
            return text("the terminal type", value);
        }

        private static int flags(ByteBuffer value) throws Refusal {
            if (!value.hasRemaining()) {
                throw Refusal.malformed("empty flags");
            }
            return value.get();
        }

        private static String text(String what, ByteBuffer value) throws Refusal {
            try {
                String text = StandardCharsets.UTF_8.newDecoder().decode(value).toString();
                if (text.indexOf('\0') >= 0) {
                    throw new Refusal(ExitCode.USAGE, what + " holds a null character");
                }
                return text;
            } catch (CharacterCodingException e) {
                throw new Refusal(ExitCode.USAGE, what + " is not UTF-8");
            }
        }

        StartRequest request() throws Refusal {
            if (!directory.isAbsolute()) {
                throw Refusal.malformed("no working directory");
            }
            return new StartRequest(
                    List.copyOf(words),
                    directory,
                    term,
                    (flags & FLAG_STDOUT) != 0,
                    (flags & FLAG_STDERR) != 0,
                    (flags & FLAG_NO_COLOR) != 0,
                    size);
        }
    }
}
