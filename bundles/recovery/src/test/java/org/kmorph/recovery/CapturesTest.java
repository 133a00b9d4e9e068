// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.vmcore.Capture;
import org.kmorph.api.vmcore.VmcoreException;
import org.kmorph.api.vmcore.Vmcores;

/** What a recovery is told of a capture. */
class CapturesTest {
    private static final Duration LIMIT = Duration.ofSeconds(7);

    /** Who is there: the first at the first look, and so on; the last stays. */
    private final Deque<Optional<Vmcores>> there = new ArrayDeque<>();

    private final Captures captures = new Captures(() -> there.size() > 1 ? there.poll() : there.peek());

    private Instance instance() throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            return world.running("web", 1);
        }
    }

    private interface Capturing {
        Capture capture(Duration deadline) throws VmcoreException;
    }

    private static Optional<Vmcores> who(boolean hasMemory, Capturing capturing) {
        return Optional.of(new Vmcores() {
            @Override
            public boolean hasMemory(Instance instance) {
                return hasMemory;
            }

            @Override
            public Capture capture(Instance fenced, Duration deadline, Progress progress) throws VmcoreException {
                return capturing.capture(deadline);
            }

            @Override
            public List<Capture> list() {
                return List.of();
            }
        });
    }

    private static Capture captured(Duration deadline) {
        return new Capture("web", Path.of("/c"), Instant.EPOCH, 12, "within " + deadline.toSeconds() + " s", "");
    }

    @Test
    void whatWasCapturedIsEvidenceAndHasTheTimeThatThePolicyGives() throws Exception {
        there.add(who(true, CapturesTest::captured));
        assertThat(captures.capture(instance(), LIMIT))
                .isEqualTo(new Healing.Event.Captured(
                        "its memory is in /c (12 bytes): within 7 s",
                        Map.of("vmcore", "/c", "vmcore_verdict", "within 7 s")));
    }

    @Test
    void reasonsAreSaidAndFaultsEndNoRecovery() throws Exception {
        there.add(Optional.empty());
        assertThat(captures.capture(instance(), LIMIT))
                .isEqualTo(new Healing.Event.NotCaptured("the bundle vmcore is not running"));
        there.clear();
        there.add(who(true, deadline -> {
            throw new VmcoreException("no room");
        }));
        assertThat(captures.capture(instance(), LIMIT)).isEqualTo(new Healing.Event.NotCaptured("no room"));
        there.clear();
        there.add(who(true, deadline -> {
            throw new IndexOutOfBoundsException("7");
        }));
        assertThat(String.valueOf(captures.capture(instance(), LIMIT)))
                .contains("a fault in kmorph", "IndexOutOfBounds");
    }

    @Test
    void oneThatIsReplacedInTheMiddleIsFollowedByItsSuccessor() throws Exception {
        there.add(who(true, deadline -> {
            throw new VmcoreException("the bundle vmcore was stopped");
        }));
        there.add(who(true, CapturesTest::captured));
        assertThat(captures.capture(instance(), LIMIT)).isInstanceOf(Healing.Event.Captured.class);
    }

    @Test
    void processesHaveNoMemoryAndWhereNobodyKnowsItIsTried() throws Exception {
        there.add(who(false, CapturesTest::captured));
        assertThat(captures.canCapture(instance())).isFalse();
        there.clear();
        there.add(Optional.empty());
        assertThat(captures.canCapture(instance())).isTrue();
    }
}
