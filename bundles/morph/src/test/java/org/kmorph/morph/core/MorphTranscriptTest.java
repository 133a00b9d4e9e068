// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Golden transcripts of the morph. A line {@code > 300 done} is an event at 300 ms; the line below it is the step that follows, with what
 * has changed. {@code # ...} tells the story. With -Dkmorph.golden.write=true the answers are written anew, to be reviewed as a diff.
 */
class MorphTranscriptTest {
    private static final Path TRANSCRIPTS = Path.of("src/test/resources/morph");
    private static final long MS = 1_000_000;

    static Stream<Path> transcripts() throws IOException {
        return Files.list(TRANSCRIPTS).sorted();
    }

    @ParameterizedTest
    @MethodSource("transcripts")
    void morphGoesAsWritten(Path transcript) throws IOException {
        List<String> written = Files.readAllLines(transcript);
        List<String> played = play(written);
        if (Boolean.getBoolean("kmorph.golden.write")) {
            Files.write(transcript, played);
        }
        assertThat(played).isEqualTo(written);
    }

    private static List<String> play(List<String> transcript) {
        MorphCore core = new MorphCore(1_000_000, Duration.ofMillis(50));
        MorphState state = MorphState.NEW;
        List<String> out = new ArrayList<>();
        for (String line : transcript) {
            if (line.isEmpty() || line.startsWith("#")) {
                out.add(line);
            } else if (line.startsWith("> ")) {
                out.add(line);
                String[] words = line.split(" ", 4);
                long now = Long.parseLong(words[1]) * MS;
                MorphState next = core.after(state, event(words), now);
                out.add("  " + difference(state, next));
                state = next;
            }
        }
        return out;
    }

    private static String difference(MorphState before, MorphState after) {
        return after.step()
                + (after.mark() == before.mark() ? "" : ", the journal says " + after.mark())
                + (after.outcome() == before.outcome() ? "" : ", " + after.outcome())
                + (after.why().equals(before.why()) ? "" : ": " + after.why());
    }

    /** {@code unbegun}, {@code begun}, or one of them and {@code ended}; a colon and what is wrong. */
    private static Event workload(String[] parts) {
        boolean begun = !parts[0].startsWith("unbegun");
        return new Event.WorkloadIs(begun, parts[0].endsWith("ended"), parts.length > 1 ? parts[1] : "");
    }

    private static Event event(String[] words) {
        String rest = words.length > 3 ? words[3] : "";
        return switch (words[2]) {
            case "begin" -> new Event.Begin(rest.contains("cold"), rest.contains("direct"), rest.contains("auto"));
            case "done" -> new Event.Done();
            case "round" -> new Event.RoundOver(Long.parseLong(rest));
            case "handing-over" -> new Event.HandingOver(Long.parseLong(rest) * MS);
            case "frozen" -> new Event.Frozen(Long.parseLong(rest) * MS);
            case "failed" -> new Event.Failed(rest, false);
            case "lost" -> new Event.Failed(rest, true);
            case "source" -> new Event.SourceIs(SourceState.valueOf(rest));
            case "target" -> new Event.TargetIs(rest.equals("ACTIVE"), rest.equals("VALIDATED"));
            case "fenced" -> new Event.SourceFenced(Long.parseLong(rest) * MS);
            case "restored" -> new Event.Restored();
            case "commit" -> new Event.CommitAsked();
            case "rollback" -> new Event.RollbackAsked(rest);
            case "refresh" -> new Event.Refresh();
            case "workload" -> workload(rest.split(": ", 2));
            case "given-back" -> new Event.GivenBack();
            case "window-over" -> new Event.WindowOver();
            case "source-ended" -> new Event.SourceEnded(rest);
            case "target-ended" -> new Event.TargetEnded(rest);
            case "restarted" ->
                new Event.Restarted(Mark.valueOf(rest.split(" ")[0]), rest.contains("cold"), rest.contains("direct"));
            default -> throw new IllegalArgumentException(String.join(" ", words));
        };
    }
}
