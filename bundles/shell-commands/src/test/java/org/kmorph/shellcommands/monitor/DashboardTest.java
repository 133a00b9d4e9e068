// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jline.utils.AttributedString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kmorph.api.health.Health;

class DashboardTest {
    private static final Palette COLOUR = new Palette(true);

    private final FakeFleet fleet = FakeFleet.of(1000);
    private final Changes changes = new Changes(fleet::now);
    private final Dashboard dashboard = dashboard(Optional.empty());

    private Dashboard dashboard(Optional<String> only) {
        return new Dashboard(() -> fleet, () -> fleet, fleet, changes, only, SortKey.HEALTH);
    }

    private List<String> frame(int columns, int rows) {
        return dashboard.frame(columns, rows, COLOUR).stream()
                .map(AttributedString::toString)
                .toList();
    }

    private void press(String letters) {
        letters.chars().forEach(letter -> dashboard.press(new Key(Key.Kind.LETTER, (char) letter), 34));
    }

    /** The names of the rows, from the top. */
    private List<String> names() {
        return frame(120, 40).stream()
                .filter(line -> line.startsWith("node-"))
                .map(line -> line.split(" ")[0])
                .toList();
    }

    @Test
    void aFrameAsksOnlyForTheRowsThatItShows() {
        names();
        fleet.asked.clear();
        assertThat(names()).hasSize(34).isEqualTo(fleet.asked);
    }

    @Test
    void aThousandRowsTenTimesASecondLeaveTheProcessorFree() {
        frame(200, 60);
        long begun = System.nanoTime();
        int frames = 100;
        for (int i = 0; i < frames; i++) {
            fleet.move(Duration.ofMillis(100));
            frame(200, 60);
        }
        long perFrame = (System.nanoTime() - begun) / frames;
        System.out.printf("monitor: %.2f ms a frame of 1000 instances, a census each tenth%n", perFrame / 1e6);
        assertThat(Duration.ofNanos(perFrame)).isLessThan(Duration.ofMillis(50));
    }

    @Test
    void whatFailedComesFirstAndIsCounted() {
        fleet.put(501, "node-0500", Health.FAILED, "silent for 3 s, 1 s allowed", 0, 1);
        fleet.put(701, "node-0700", Health.SUSPECT, "silent for 1.2 s, 1 s allowed", 0, 1);
        fleet.move(Duration.ofSeconds(1));
        List<String> frame = frame(160, 40);
        assertThat(frame.get(0)).isEqualTo("1000 instances: 1 FAILED, 1 SUSPECT, 998 HEALTHY");
        assertThat(frame.get(2)).startsWith("node-0500").contains("FAILED", "silent for 3 s, 1 s allowed");
        assertThat(frame.get(3)).startsWith("node-0700").contains("SUSPECT");
    }

    @Test
    void aChangeOfHealthIsCountedBeforeTheSecondIsOver() {
        fleet.put(501, "node-0500", Health.FAILED, "ended", 0, 1);
        fleet.move(Duration.ofMillis(250));
        changes.health.changed(fleet.report("node-0500").orElseThrow(), Health.HEALTHY);
        List<String> frame = frame(120, 40);
        assertThat(frame.get(0)).contains("1 FAILED");
        assertThat(frame.get(36)).contains("node-0500  health  HEALTHY -> FAILED: ended");
    }

    @Test
    void keysSortAndTheSameKeyTurnsTheOrderRound() {
        press("n");
        assertThat(names()).startsWith("node-0000", "node-0001");
        press("n");
        assertThat(names()).startsWith("node-0999", "node-0998");
        press("c");
        assertThat(names()).startsWith("node-0099", "node-0199");
        press("r");
        assertThat(names()).startsWith("node-0006", "node-0013");
        press("z");
        assertThat(names()).startsWith("node-0006", "node-0013");
    }

    @Test
    void oneCanMoveToTheEndAndNotBeyond() {
        press("n");
        dashboard.press(Key.of(Key.Kind.END), 34);
        dashboard.press(Key.of(Key.Kind.DOWN), 34);
        assertThat(names()).startsWith("node-0966").endsWith("node-0999");
        dashboard.press(Key.of(Key.Kind.PAGE_UP), 34);
        assertThat(names()).startsWith("node-0932");
        dashboard.press(Key.of(Key.Kind.HOME), 34);
        dashboard.press(Key.of(Key.Kind.UP), 34);
        assertThat(names()).startsWith("node-0000");
    }

    @Test
    void anInstanceThatIsGoneLeavesItsRow() {
        press("n");
        changes.instances.gone(fleet.remove("node-0000"));
        fleet.move(Duration.ofMillis(200));
        assertThat(names()).startsWith("node-0001").hasSize(34);
    }

    @Test
    void whatWasThereBeforeIsNoNews() {
        fleet.list().forEach(changes.instances::changed);
        assertThat(frame(120, 40).subList(36, 39)).containsOnly("");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 10, 40, 41, 80, 133, 400})
    void everySizeIsFilledAndNeverExceeded(int size) {
        List<AttributedString> frame = dashboard.frame(size, size, COLOUR);
        assertThat(frame).hasSize(size).allSatisfy(line -> assertThat(line.columnLength())
                .isLessThanOrEqualTo(size));
        List<AttributedString> sheet = dashboard(Optional.of("node-0001")).frame(size, size, COLOUR);
        assertThat(sheet).hasSize(size).allSatisfy(line -> assertThat(line.columnLength())
                .isLessThanOrEqualTo(size));
    }

    @Test
    void withoutColoursTheWordsAreTheSame() {
        Pattern colours = Pattern.compile("\033\\[[0-9;]*3[0-8]");
        List<AttributedString> plain = dashboard.frame(120, 40, new Palette(false));
        List<AttributedString> coloured = dashboard.frame(120, 40, COLOUR);
        assertThat(coloured).anyMatch(line -> colours.matcher(line.toAnsi()).find());
        assertThat(plain)
                .noneMatch(line -> colours.matcher(line.toAnsi()).find())
                .extracting(AttributedString::toString)
                .isEqualTo(coloured.stream().map(AttributedString::toString).toList());
    }

    @Test
    void whatAnAgentSaysCannotMoveTheCursor() {
        fleet.put(1, "node-0000", Health.FAILED, "\033[2J\nrubbish", 0, 1);
        fleet.move(Duration.ofSeconds(1));
        assertThat(frame(160, 40)).noneMatch(line -> line.contains("\033") || line.contains("\n"));
    }

    @Test
    void oneInstanceIsShownWithAllItsFigures() {
        Dashboard one = dashboard(Optional.of("node-0007"));
        fleet.move(Duration.ofMillis(300));
        changes.health.troubled(fleet.report("node-0007").orElseThrow(), "memory pressure: 1 MiB of 1 GiB available");
        changes.health.troubled(fleet.report("node-0008").orElseThrow(), "another's");
        List<String> sheet = one.frame(140, 30, COLOUR).stream()
                .map(AttributedString::toString)
                .toList();
        assertThat(String.join("\n", sheet))
                .contains("node-0007  HEALTHY  answers", "300.0 ms ago", "512 MiB of 1.0 GiB available")
                .contains("6.1.0 (local)", "10 sent", "▁", "█", "trouble  memory pressure")
                .doesNotContain("another's");
        changes.instances.gone(fleet.remove("node-0007"));
        assertThat(one.frame(140, 30, COLOUR).get(0)).hasToString("node-0007  is no more");
    }
}
