// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.JournalException;

/**
 * An entry's fields as text: a line {@code name=value} for each, in UTF-8, so that a person with the sqlite3 tool can read
 * them. A backslash goes before {@code \}, before {@code =} in a name, and stands with {@code n} for a line feed.
 */
final class EntryCodec {
    private EntryCodec() {}

    /**
     * The fields of an entry that may be written.
     *
     * @throws JournalException when it has no kind or key, is too large, or holds what is no Unicode text
     */
    static byte[] encode(Entry entry) throws JournalException {
        long size = utf8("kind", entry.kind()).length
                + utf8("key", entry.key()).length
                + utf8("instance", entry.instance().orElse("")).length;
        if (entry.kind().isEmpty() || entry.key().isEmpty()) {
            throw new JournalException("a journal entry needs a kind and a key; this one has kind \"" + entry.kind()
                    + "\" and key \"" + entry.key() + "\"");
        }
        StringBuilder text = new StringBuilder();
        for (Map.Entry<String, String> field : entry.fields().entrySet()) {
            size += utf8("field name", field.getKey()).length
                    + utf8("field " + field.getKey(), field.getValue()).length;
            escape(field.getKey(), true, text);
            text.append('=');
            escape(field.getValue(), false, text);
            text.append('\n');
        }
        if (size > Entry.MAX_BYTES) {
            throw new JournalException("the journal entry of " + entry.kind() + " \"" + entry.key() + "\" has " + size
                    + " bytes; the most is " + Entry.MAX_BYTES + ": keep large things in files and record their names");
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** @throws IllegalArgumentException when that is nothing that {@link #encode} made */
    static Map<String, String> decode(byte[] encoded) {
        Map<String, String> fields = new TreeMap<>();
        StringBuilder part = new StringBuilder();
        String name = null;
        String text = new String(encoded, StandardCharsets.UTF_8);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length()) {
                i++;
                part.append(text.charAt(i) == 'n' ? '\n' : text.charAt(i));
            } else if (c == '=' && name == null) {
                name = part.toString();
                part.setLength(0);
            } else if (c == '\n' && name != null) {
                fields.put(name, part.toString());
                name = null;
                part.setLength(0);
            } else {
                part.append(c);
            }
        }
        if (name != null || part.length() > 0) {
            throw new IllegalArgumentException("fields end in the middle of a line");
        }
        return fields;
    }

    /** A check over all that was recorded: SQLite finds broken pages, but not flipped bits in what the pages hold. */
    static long check(Instant time, String kind, String key, String instance, boolean closes, byte[] fields) {
        CRC32C crc = new CRC32C();
        ByteBuffer numbers = ByteBuffer.allocate(Long.BYTES + Integer.BYTES + 1);
        crc.update(numbers.putLong(time.getEpochSecond())
                .putInt(time.getNano())
                .put((byte) (closes ? 1 : 0))
                .flip());
        for (String text : new String[] {kind, key, instance}) {
            crc.update(text.getBytes(StandardCharsets.UTF_8));
            crc.update(0); // parts of no fixed length: what ends one must not begin the next
        }
        crc.update(fields);
        return crc.getValue();
    }

    private static byte[] utf8(String what, String text) throws JournalException {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            return copy;
        } catch (CharacterCodingException e) {
            throw new JournalException(
                    what + " of a journal entry is no Unicode text (a surrogate without its pair)", e);
        }
    }

    private static void escape(String text, boolean name, StringBuilder to) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n') {
                to.append("\\n");
            } else {
                if (c == '\\' || name && c == '=') {
                    to.append('\\');
                }
                to.append(c);
            }
        }
    }
}
