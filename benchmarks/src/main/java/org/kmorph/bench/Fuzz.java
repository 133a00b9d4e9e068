// SPDX-License-Identifier: Apache-2.0
package org.kmorph.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code ./kmorph bench fuzz}: Jazzer, guided by coverage, on KMP's decoder and every payload. It begins with the frames of
 * docs/kmp.md and keeps what it finds worth keeping in the directory, so that the next run goes on from there. Ends with 0 when
 * nothing was found; otherwise the input stands in the directory as {@code crash-…}.
 *
 * <p>Arguments: seconds (600 if not given), directory ({@code target/fuzz-kmp}). Run it from the repository's root.
 */
public final class Fuzz {
    private static final Pattern DUMP = Pattern.compile("[0-9a-f]{4}((?: {1,2}[0-9a-f]{2}){1,16})");

    private Fuzz() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        int seconds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 600;
        Path directory =
                Path.of(arguments.length > 1 ? arguments[1] : "target/fuzz-kmp").toAbsolutePath();
        Path corpus = Files.createDirectories(directory.resolve("corpus"));
        for (Map.Entry<String, byte[]> seed : seeds(Path.of("docs/kmp.md")).entrySet()) {
            Files.write(corpus.resolve(seed.getKey()), seed.getValue());
        }
        Process jazzer = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "com.code_intelligence.jazzer.Jazzer",
                        "--target_class=" + FuzzTarget.class.getName(),
                        "--instrumentation_includes=org.kmorph.kmp.**",
                        "--reproducer_path=" + directory,
                        "-artifact_prefix=" + directory + "/",
                        "-max_total_time=" + seconds,
                        "-max_len=4096",
                        "-timeout=10",
                        corpus.toString()))
                .inheritIO()
                .start();
        System.exit(jazzer.waitFor() == 0 ? 0 : 1);
    }

    private static Map<String, byte[]> seeds(Path page) throws IOException {
        Map<String, ByteArrayOutputStream> frames = new LinkedHashMap<>();
        String heading = "";
        for (String line : Files.readAllLines(page)) {
            Matcher dump = DUMP.matcher(line);
            if (line.startsWith("#### ")) {
                heading = line.substring(5).replace(' ', '-');
            } else if (dump.matches()) {
                frames.computeIfAbsent(heading, name -> new ByteArrayOutputStream())
                        .write(HexFormat.of().parseHex(dump.group(1).replace(" ", "")));
            }
        }
        Map<String, byte[]> seeds = new LinkedHashMap<>();
        frames.forEach((name, frame) -> seeds.put(name, frame.toByteArray()));
        return seeds;
    }
}
