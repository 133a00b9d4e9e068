// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kmorph.api.health.HealthPolicy;
import org.kmorph.api.health.Heartbeat;

/**
 * Golden transcripts of the detector. A line {@code > 300 tick} is an event at 300 ms; the lines below it are what the detector did.
 * {@code # ...} tells the story. With -Dkmorph.golden.write=true the answers are written anew, to be reviewed as a diff.
 */
class DetectorTranscriptTest {
    private static final Path TRANSCRIPTS = Path.of("src/test/resources/detector");
    private static final long MS = 1_000_000;

    static Stream<Path> transcripts() throws IOException {
        return Files.list(TRANSCRIPTS).sorted();
    }

    @ParameterizedTest
    @MethodSource("transcripts")
    void detectorActsAsWritten(Path transcript) throws IOException {
        List<String> written = Files.readAllLines(transcript);
        List<String> played = play(written);
        if (Boolean.getBoolean("kmorph.golden.write")) {
            Files.write(transcript, played);
        }
        assertThat(played).isEqualTo(written);
    }

    private static List<String> play(List<String> transcript) {
        List<String> out = new ArrayList<>();
        Optional<Detector> detector = Optional.empty();
        for (String line : transcript) {
            if (line.isEmpty() || line.startsWith("#")) {
                out.add(line);
            } else if (line.startsWith("policy ")) {
                out.add(line);
                detector = Optional.of(detector(line.split(" ")));
            } else if (line.startsWith("> ")) {
                out.add(line);
                out.addAll(event(detector.orElseThrow(), line.split(" ")));
            }
        }
        return out;
    }

    /** {@code policy NAME TIMEOUT-MS INTERVAL-MS [FIRST-ANSWER-MS]}. */
    private static Detector detector(String[] words) {
        HealthPolicy policy = words[1].equals("phi") ? new PhiPolicy() : new TimeoutPolicy();
        long firstAnswer = words.length > 4 ? Long.parseLong(words[4]) : 3_000;
        return new Detector(
                policy.judge(Long.parseLong(words[2]) * MS, Map.of()),
                Long.parseLong(words[3]) * MS,
                firstAnswer * MS,
                0);
    }

    /** {@code > MS tick|late N|distrust|heard [BOOT]|kernel ANSWER|cannot-ask|ended}. */
    private static List<String> event(Detector detector, String[] words) {
        long now = Long.parseLong(words[1]) * MS;
        List<Detector.Action> actions =
                switch (words[2]) {
                    case "tick" -> detector.tick(now, 0, false);
                    case "late" -> detector.tick(now, Long.parseLong(words[3]) * MS, false);
                    case "distrust" -> detector.tick(now, 0, true);
                    case "heard" -> detector.heard(heartbeat(now, words.length > 3 ? Long.parseLong(words[3]) : 1));
                    case "kernel" -> detector.kernel(Detector.Kernel.valueOf(words[3]), now, words.length > 4);
                    case "ended" -> detector.ended("exit status 137");
                    case "cannot-ask" -> cannotAsk(detector, now);
                    default -> throw new IllegalArgumentException(String.join(" ", words));
                };
        List<String> lines = new ArrayList<>();
        for (Detector.Action action : actions) {
            lines.add("  " + text(action));
        }
        long next = detector.nextNanos(now);
        lines.add("  " + detector.health() + (next == Long.MAX_VALUE ? "" : ", next at " + next / MS + " ms"));
        return lines;
    }

    private static List<Detector.Action> cannotAsk(Detector detector, long now) {
        detector.cannotAsk(now);
        return List.of();
    }

    private static String text(Detector.Action action) {
        if (action instanceof Detector.Action.Tell tell) {
            return tell.before() + " -> " + tell.after() + ": " + tell.reason();
        }
        if (action instanceof Detector.Action.Rebooted rebooted) {
            return "rebooted: boot id " + rebooted.before() + " -> " + rebooted.after();
        }
        return action instanceof Detector.Action.AskKernel ? "ask the kernel" : "send a heartbeat";
    }

    private static Heartbeat heartbeat(long now, long bootId) {
        return new Heartbeat(now, MS, bootId, "ready", "none", 1000, 0.5, 1 << 20, 1 << 19, Optional.of(100L), 0.1);
    }
}
