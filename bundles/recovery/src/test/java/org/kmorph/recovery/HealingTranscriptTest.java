// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.kmp.message.Cause;

/**
 * Golden transcripts of a recovery. {@code begin KEY=VALUE...} names the treatment; a line {@code > 300 prepared} is an event at 300 ms; the
 * lines below are what follows. {@code # ...} tells the story. With -Dkmorph.golden.write=true the answers are written anew, to be
 * reviewed as a diff.
 */
class HealingTranscriptTest {
    private static final Path TRANSCRIPTS = Path.of("src/test/resources/healing");
    private static final long MS = 1_000_000;

    static Stream<Path> transcripts() throws IOException {
        return Files.list(TRANSCRIPTS).sorted();
    }

    @ParameterizedTest
    @MethodSource("transcripts")
    void healingGoesAsWritten(Path transcript) throws IOException {
        List<String> written = Files.readAllLines(transcript);
        List<String> played = play(written);
        if (Boolean.getBoolean("kmorph.golden.write")) {
            Files.write(transcript, played);
        }
        assertThat(played).isEqualTo(written);
    }

    private static List<String> play(List<String> transcript) {
        List<String> out = new ArrayList<>();
        Optional<Healing> healing = Optional.empty();
        for (String line : transcript) {
            if (line.isEmpty() || line.startsWith("#")) {
                out.add(line);
            } else if (line.startsWith("begin") || line.startsWith("> ")) {
                out.add(line);
                Healing.Step step = step(healing, line);
                out.addAll(text(step));
                healing = Optional.of(step.healing());
            }
        }
        return out;
    }

    private static Healing.Step step(Optional<Healing> healing, String line) {
        if (line.startsWith("begin")) {
            return begin(line.substring("begin".length()).strip());
        }
        String[] words = line.split(" ", 4);
        if (words[2].equals("killed")) {
            return healing.orElseThrow().resume(Duration.ofMillis(words.length > 3 ? Long.parseLong(words[3]) : 0));
        }
        return healing.orElseThrow().on(event(words));
    }

    private static Healing.Step begin(String words) {
        int crashes = 1;
        boolean capture = false;
        int fallback = 0;
        Treatment.Action action = Treatment.Action.RESPAWN;
        Optional<Path> knownGood = Optional.empty();
        Optional<String> standby = Optional.empty();
        for (String word : words.isEmpty() ? new String[0] : words.split(" ")) {
            String value = word.substring(word.indexOf('=') + 1);
            switch (word.substring(0, word.indexOf('='))) {
                case "crashes" -> crashes = Integer.parseInt(value);
                case "capture" -> capture = Boolean.parseBoolean(value);
                case "fallback" -> fallback = Integer.parseInt(value);
                case "action" -> action = Treatment.Action.valueOf(value);
                case "standby" -> standby = Optional.of(value);
                case "known-good" -> knownGood = Optional.of(Path.of(value));
                default -> throw new IllegalArgumentException(word);
            }
        }
        InstanceSpec spec = InstanceSpec.watched("web", "local", Path.of("/boot/vmlinuz"), List.of());
        return Healing.begin(
                new Patient(new UUID(0, 1), 7, spec, Cause.EXIT, "killed by signal 9", "policy", 1, crashes, Map.of()),
                new Treatment(
                        action,
                        standby,
                        Duration.ofSeconds(30),
                        capture ? Optional.of(Duration.ofMinutes(2)) : Optional.empty(),
                        5,
                        Duration.ofMinutes(10),
                        fallback,
                        knownGood,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(60),
                        3));
    }

    /** {@code > MS NAME [TEXT]}. */
    private static Healing.Event event(String[] words) {
        String text = words.length > 3 ? words[3] : "";
        return switch (words[2]) {
            case "prepared" -> new Healing.Event.Prepared(text);
            case "being-morphed" -> new Healing.Event.BeingMorphed();
            case "reclaimed" -> new Healing.Event.Reclaimed(text);
            case "fenced" -> new Healing.Event.Fenced();
            case "fence-unconfirmed" -> new Healing.Event.FenceUnconfirmed(text);
            case "captured" -> new Healing.Event.Captured(text, Map.of());
            case "not-captured" -> new Healing.Event.NotCaptured(text);
            case "released" -> new Healing.Event.Released();
            case "release-failed" -> new Healing.Event.ReleaseFailed(text);
            case "due" -> new Healing.Event.Due();
            case "no-standby" -> new Healing.Event.NoStandby(text);
            case "restored" -> new Healing.Event.Restored(Integer.parseInt(text));
            case "restore-failed" -> new Healing.Event.RestoreFailed(text);
            case "told" -> new Healing.Event.Told();
            case "gone" -> new Healing.Event.Gone();
            default -> throw new IllegalArgumentException(String.join(" ", words));
        };
    }

    private static List<String> text(Healing.Step step) {
        List<String> lines = new ArrayList<>();
        lines.add("  " + step.healing().state() + ": " + step.healing().detail());
        for (Healing.Action action : step.actions()) {
            lines.add("  do: " + text(action));
        }
        return lines;
    }

    private static String text(Healing.Action action) {
        if (action instanceof Healing.Action.WaitFor wait) {
            return "wait for " + wait.time().toMillis() + " ms";
        }
        if (action instanceof Healing.Action.Start start) {
            return "start" + start.kernel().map(path -> " with kernel " + path).orElse("");
        }
        if (action instanceof Healing.Action.Promote promote) {
            return "promote " + promote.standby();
        }
        return switch (action.getClass().getSimpleName()) {
            case "TellPrepare" -> "tell the survivors to prepare";
            case "TellReclaim" -> "tell the survivors what was reclaimed";
            case "TellComplete" -> "tell the survivors how it ended";
            case "Fence" -> "fence";
            case "Capture" -> "capture";
            default -> "release";
        };
    }
}
