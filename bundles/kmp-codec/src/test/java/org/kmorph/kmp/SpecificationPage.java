// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The hex dumps of docs/kmp.md, by the names of their headings. */
final class SpecificationPage {
    private static final Pattern HEADING = Pattern.compile("#### (.+)");

    private static final Pattern LINE = Pattern.compile("([0-9a-f]{4})((?: {1,2}[0-9a-f]{2}){1,16})");

    private SpecificationPage() {}

    static Path root() {
        return Path.of(System.getProperty("kmorph.root"));
    }

    static Map<String, byte[]> frames() throws IOException {
        Map<String, ByteArrayOutputStream> frames = new LinkedHashMap<>();
        String heading = "";
        for (String line : Files.readAllLines(root().resolve("docs/kmp.md"))) {
            Matcher head = HEADING.matcher(line);
            Matcher dump = LINE.matcher(line);
            if (head.matches()) {
                heading = head.group(1);
            } else if (dump.matches()) {
                ByteArrayOutputStream frame = frames.computeIfAbsent(heading, name -> new ByteArrayOutputStream());
                if (Integer.parseInt(dump.group(1), 16) != frame.size()) {
                    throw new IOException(
                            "docs/kmp.md, " + heading + ": \"" + line + "\" does not follow the line before it");
                }
                frame.write(HexFormat.of().parseHex(dump.group(2).replace(" ", "")));
            }
        }
        Map<String, byte[]> bytes = new LinkedHashMap<>();
        frames.forEach((name, frame) -> bytes.put(name, frame.toByteArray()));
        return bytes;
    }

    /** As the page has it. */
    static String dump(byte[] frame) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < frame.length; at++) {
            if (at % 16 == 0) {
                text.append(at == 0 ? "" : "\n").append(String.format("%04x ", at));
            }
            text.append(at % 8 == 0 && at % 16 != 0 ? "  " : " ").append(String.format("%02x", frame[at]));
        }
        return text.toString();
    }
}
