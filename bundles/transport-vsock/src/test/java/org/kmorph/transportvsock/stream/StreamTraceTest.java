// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.stream;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.kmorph.transportvsock.stream.Action.Closed;
import org.kmorph.transportvsock.stream.Action.Deliver;
import org.kmorph.transportvsock.stream.Action.Forget;
import org.kmorph.transportvsock.stream.Action.Opened;
import org.kmorph.transportvsock.stream.Action.Send;
import org.kmorph.transportvsock.stream.Event.Frame;

/**
 * Golden traces of a stream. A line is an event, then what is done about it. {@code connect} and {@code accept} begin one; a frame
 * that comes is its operation and, with {@code =}, length or flags, then the peer's buffer and what it has forwarded.
 */
class StreamTraceTest {
    private static void holds(String trace) {
        List<String> seen = new ArrayList<>();
        Stream stream = new Stream(Stream.Phase.GONE, 0, 0, 0, 0, 0, false);
        for (String line : trace.lines().toList()) {
            String event = line.substring(0, line.indexOf(':'));
            Stream.Step step = step(stream, event.split(" "));
            stream = step.next();
            seen.add(event + ":"
                    + step.actions().stream().map(StreamTraceTest::text).collect(joining(",")));
        }
        assertThat(String.join("\n", seen)).isEqualTo(trace.strip());
    }

    private static Stream.Step step(Stream stream, String[] words) {
        return switch (words[0]) {
            case "connect" -> Stream.connect();
            case "accept" -> Stream.accept(new Frame(Op.REQUEST, 0, 0, Integer.parseInt(words[1]), 0));
            case "waiting" -> stream.on(new Event.Waiting(Integer.parseInt(words[1])));
            case "close" -> stream.on(new Event.Close("asked"));
            case "expired" -> stream.on(new Event.Expired());
            case "down" -> stream.on(new Event.LinkDown("link"));
            default -> stream.on(frame(words));
        };
    }

    private static Frame frame(String[] words) {
        String[] op = words[0].split("=");
        int number = op.length > 1 ? Integer.parseInt(op[1]) : 0;
        boolean data = op[0].equals("RW");
        return new Frame(
                Op.valueOf(op[0]),
                data ? 0 : number,
                data ? number : 0,
                words.length > 1 ? Integer.parseInt(words[1]) : 262144,
                words.length > 2 ? Integer.parseInt(words[2]) : 0);
    }

    private static String text(Action action) {
        if (action instanceof Send send) {
            String size = send.op() == Op.RW ? "=" + send.bytes() : send.op() == Op.SHUTDOWN ? "=" + send.flags() : "";
            return " " + send.op() + size + "/" + send.forwarded();
        }
        if (action instanceof Closed closed) {
            return " closed(" + closed.why() + ")";
        }
        return action instanceof Opened ? " opened" : action instanceof Deliver ? " deliver" : " forget";
    }

    @Test
    void connectsAndClosesInOrder() {
        holds(
                """
                connect: REQUEST/0
                RESPONSE: opened
                waiting 10: RW=10/0
                RW=20: deliver
                waiting 1: RW=1/20
                close: SHUTDOWN=3/20, closed(asked)
                RW=5:
                RST: forget
                """);
    }

    @Test
    void refusalIsNobodyListening() {
        holds(
                """
                connect: REQUEST/0
                RST: closed(nobody listens there), forget
                RESPONSE:
                """);
    }

    @Test
    void silenceIsGivenUpWithAReset() {
        holds(
                """
                connect: REQUEST/0
                expired: RST/0, closed(it has not answered), forget
                """);
    }

    @Test
    void acceptsAndIsClosedByThePeer() {
        holds(
                """
                accept 65536: RESPONSE/0, opened
                RW=100: deliver
                SHUTDOWN=3: RST/100, closed(the peer has closed the connection), forget
                """);
    }

    @Test
    void halfClosedByThePeerIsClosedWhole() {
        holds(
                """
                accept 65536: RESPONSE/0, opened
                SHUTDOWN=2: SHUTDOWN=3/0, closed(the peer has closed the connection)
                SHUTDOWN=3: RST/0, forget
                """);
    }

    @Test
    void peerThatNeverConfirmsClosingIsReset() {
        holds(
                """
                accept 65536: RESPONSE/0, opened
                close: SHUTDOWN=3/0, closed(asked)
                CREDIT_UPDATE:
                expired: RST/0, forget
                """);
    }

    @Test
    void sendsWithinThePeersCreditAndAsksOnceWhenItIsUsedUp() {
        holds(
                """
                accept 100: RESPONSE/0, opened
                waiting 70: RW=70/0
                waiting 70: RW=30/0
                waiting 40: CREDIT_REQUEST/0
                waiting 40:
                CREDIT_UPDATE 100 60:
                waiting 40: RW=40/0
                CREDIT_UPDATE 100 140:
                waiting 1: RW=1/0
                """);
    }

    @Test
    void oneFrameCarriesNoMoreThan64KiB() {
        holds(
                """
                accept 262144: RESPONSE/0, opened
                waiting 100000: RW=65536/0
                waiting 34464: RW=34464/0
                """);
    }

    @Test
    void tellsOfItsOwnBufferWhenAQuarterIsUsedOrWhenAsked() {
        holds(
                """
                accept 65536: RESPONSE/0, opened
                RW=65535: deliver
                RW=1: deliver, CREDIT_UPDATE/65536
                RW=1: deliver
                CREDIT_REQUEST: CREDIT_UPDATE/65537
                """);
    }

    @Test
    void resetEndsAnOpenStreamAtOnce() {
        holds(
                """
                accept 65536: RESPONSE/0, opened
                RST: closed(the peer has reset the connection), forget
                """);
    }

    @Test
    void restartOfThePeerEndsStreamsInEveryPhase() {
        holds(
                """
                connect: REQUEST/0
                down: closed(link), forget
                accept 65536: RESPONSE/0, opened
                down: closed(link), forget
                accept 65536: RESPONSE/0, opened
                close: SHUTDOWN=3/0, closed(asked)
                down: forget
                """);
    }

    @Test
    void breachesOfTheProtocolAreReset() {
        holds(
                """
                connect: REQUEST/0
                RW=1: RST/0, closed(the peer has broken the protocol: an answer to a connection was expected, not RW), forget
                accept 10: RESPONSE/0, opened
                REQUEST: RST/0, closed(the peer has broken the protocol: REQUEST came for a connection that is open), forget
                accept 10: RESPONSE/0, opened
                RW=300000: RST/0, closed(the peer has broken the protocol: the peer has sent more than its credit allows), forget
                """);
    }

    @Test
    void impossibleFiguresOfThePeerMeanNoCredit() {
        holds(
                """
                accept 10: RESPONSE/0, opened
                CREDIT_UPDATE 10 5000:
                waiting 1: CREDIT_REQUEST/0
                """);
    }

    /** Whatever comes in whatever order: closed and forgotten at most once, nothing after that, and no more sent than credited. */
    @Test
    void everySequenceEndsAtMostOnce() {
        Random random = new Random(7);
        for (int run = 0; run < 20_000; run++) {
            Stream.Step step = random.nextBoolean()
                    ? Stream.connect()
                    : Stream.accept(new Frame(Op.REQUEST, 0, 0, random.nextInt(300), random.nextInt(3)));
            int closed = 0;
            int forgotten = 0;
            for (int i = 0; i < 12; i++) {
                Stream before = step.next();
                step = before.on(event(random));
                assertThat(forgotten == 0 || step.actions().isEmpty()).isTrue();
                for (Action action : step.actions()) {
                    closed += action instanceof Closed ? 1 : 0;
                    forgotten += action instanceof Forget ? 1 : 0;
                    assertThat(action instanceof Send send ? send.bytes() : 0).isLessThanOrEqualTo(before.credit());
                }
                assertThat(closed).isBetween(forgotten, 1);
            }
        }
    }

    private static Event event(Random random) {
        return switch (random.nextInt(8)) {
            case 0 -> new Event.Waiting(1 + random.nextInt(400));
            case 1 -> new Event.Close("asked");
            case 2 -> new Event.Expired();
            case 3 -> random.nextInt(4) == 0 ? new Event.LinkDown("link") : new Event.Waiting(1);
            default ->
                new Frame(
                        Op.values()[random.nextInt(Op.values().length)],
                        random.nextInt(4),
                        random.nextInt(5000),
                        random.nextInt(300),
                        random.nextInt(400));
        };
    }
}
