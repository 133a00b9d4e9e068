// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kmorph.vmcore.memory.Extent;

/**
 * Golden transcripts of how a memory is shared out. {@code begin 3 web db} has three runs of 8 MiB, and two survivors; {@code > 300 got web 4}
 * says that at 300 ms all before 4 MiB of web's run is here, {@code got web 4 2+1} also that 1 MiB at physical address 2 MiB could not be
 * read; the lines below are what follows. {@code # ...} tells the story. With -Dkmorph.golden.write=true the answers are written anew, to
 * be reviewed as a diff.
 */
class SharingTranscriptTest {
    private static final Path TRANSCRIPTS = Path.of("src/test/resources/sharing");
    private static final int MIB = 20;
    private static final long RUN_MIB = 8;

    static Stream<Path> transcripts() throws IOException {
        return Files.list(TRANSCRIPTS).sorted();
    }

    @ParameterizedTest
    @MethodSource("transcripts")
    void memoryIsSharedOutAsWritten(Path transcript) throws IOException {
        List<String> written = Files.readAllLines(transcript);
        List<String> played = play(written);
        if (Boolean.getBoolean("kmorph.golden.write")) {
            Files.write(transcript, played);
        }
        assertThat(played).isEqualTo(written);
    }

    private static List<String> play(List<String> transcript) {
        List<String> out = new ArrayList<>();
        Optional<Sharing> sharing = Optional.empty();
        for (String line : transcript) {
            if (line.isEmpty() || line.startsWith("#")) {
                out.add(line);
            } else if (line.startsWith("begin") || line.startsWith("> ")) {
                out.add(line);
                Sharing.Step step = step(sharing, line.split(" "));
                step.actions().forEach(action -> out.add("  " + text(action)));
                out.add("  " + state(step.sharing()));
                sharing = Optional.of(step.sharing());
            }
        }
        return out;
    }

    private static Sharing.Step step(Optional<Sharing> sharing, String[] words) {
        if (words[0].equals("begin")) {
            List<Extent> runs = IntStream.range(0, Integer.parseInt(words[1]))
                    .mapToObj(i -> new Extent(i * RUN_MIB << MIB, RUN_MIB << MIB))
                    .toList();
            return Sharing.begin(runs, List.of(words).subList(2, words.length), 0);
        }
        return sharing.orElseThrow().on(event(words), Long.parseLong(words[1]));
    }

    private static Sharing.Event event(String[] words) {
        return switch (words[2]) {
            case "got" ->
                new Sharing.Event.Received(
                        words[3],
                        Long.parseLong(words[4]) << MIB,
                        Stream.of(words).skip(5).map(SharingTranscriptTest::run).toList());
            case "finished" -> new Sharing.Event.Finished(words[3]);
            case "lost" -> new Sharing.Event.Lost(words[3], "killed");
            case "lied" -> new Sharing.Event.Lied(words[3], "its digest differs");
            case "passed" -> new Sharing.Event.Passed();
            default -> throw new IllegalArgumentException(String.join(" ", words));
        };
    }

    private static Extent run(String word) {
        String[] parts = word.split("\\+");
        return new Extent(Long.parseLong(parts[0]) << MIB, Long.parseLong(parts[1]) << MIB);
    }

    private static String text(Extent run) {
        return (run.start() >> MIB) + "+" + (run.length() >> MIB);
    }

    private static String text(Sharing.Action action) {
        if (action instanceof Sharing.Action.Start start) {
            return "ask " + start.survivor() + " for share " + start.share() + ", " + text(start.run())
                    + (start.offset() > 0 ? ", from " + (start.offset() >> MIB) + " on" : "");
        }
        if (action instanceof Sharing.Action.Stop stop) {
            return "stop share " + stop.share() + " of " + stop.survivor();
        }
        if (action instanceof Sharing.Action.Dismiss dismiss) {
            return "dismiss " + dismiss.survivor() + ": " + dismiss.why();
        }
        if (action instanceof Sharing.Action.Forget forget) {
            return "forget " + text(forget.run());
        }
        return "read " + text(((Sharing.Action.ReadHere) action).run()) + " here";
    }

    private static String state(Sharing sharing) {
        String at = sharing.survivors().entrySet().stream()
                .map(one -> one.getKey()
                        + one.getValue()
                                .map(share -> " " + share.number() + " at " + (share.received() >> MIB))
                                .orElse(" idle"))
                .collect(Collectors.joining(", "));
        String waiting =
                sharing.waiting().stream().map(SharingTranscriptTest::text).collect(Collectors.joining(" "));
        return (sharing.over() ? "OVER" : "READING")
                + (at.isEmpty() ? "" : ": " + at)
                + (waiting.isEmpty() ? "" : "; waiting: " + waiting);
    }
}
