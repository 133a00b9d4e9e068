// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.nativeos.DescriptorSockets;
import org.kmorph.nativeos.DescriptorSockets.DescriptorSocket;
import org.kmorph.nativeos.DescriptorSockets.Message;
import org.kmorph.nativeos.Descriptors;
import org.kmorph.nativeos.Descriptors.Mapping;
import org.kmorph.transportvsock.ring.RingSide;

/**
 * A link's memory and doorbells, as its keeper has handed them over ({@code LINK}, docs/shim.md). It is this process's as long as the
 * connection to the keeper stands. For one thread.
 *
 * @param keeper readable once the keeper has gone
 * @param memory the link's
 * @param waits the doorbells that the kernel rings
 * @param rings the kernel's doorbells
 */
record Attachment(
        Descriptors descriptors, DescriptorSocket keeper, Mapping memory, List<Integer> waits, List<Integer> rings)
        implements AutoCloseable {
    /** Another has the link: for as long as a former version of this bundle lives, that. */
    static final class HeldException extends IOException {
        private static final long serialVersionUID = 1L;

        HeldException(String message) {
            super(message);
        }
    }

    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final int MOST_BYTES_OF_AN_ANSWER = 256;
    private static final int MOST_VECTORS = 2;

    /**
     * Asks a keeper for its link. Blocks for two seconds at most for each of its answers.
     *
     * @throws HeldException when another has the link
     * @throws IOException when there is no keeper, or what answers is none
     */
    static Attachment to(DescriptorSockets sockets, Descriptors descriptors, Path keeper) throws IOException {
        DescriptorSocket connection = sockets.connect(keeper, PATIENCE);
        List<Integer> received = new ArrayList<>();
        try {
            connection.send("LINK\n".getBytes(StandardCharsets.US_ASCII));
            String[] words = answer(connection, received).split(" ");
            if (words[0].equals("ERROR")) {
                throw new HeldException(keeper + " does not give its link: " + String.join(" ", words));
            }
            int vectors = words.length == 4 ? Integer.parseInt(words[2]) : 0;
            if (!words[0].equals("LINK")
                    || vectors < 1
                    || vectors > MOST_VECTORS
                    || received.size() != 1 + 2 * vectors) {
                throw new IOException(keeper + " does not give its link: " + String.join(" ", words));
            }
            Mapping memory = descriptors.map(received.get(0), RingSide.MOST_BYTES);
            descriptors.close(received.get(0));
            return new Attachment(
                    descriptors,
                    connection,
                    memory,
                    List.copyOf(received.subList(1, 1 + vectors)),
                    List.copyOf(received.subList(1 + vectors, 1 + 2 * vectors)));
        } catch (IOException | NumberFormatException e) {
            received.forEach(descriptors::close);
            connection.close();
            throw e instanceof IOException failure ? failure : new IOException(keeper + " is no keeper of a link", e);
        }
    }

    /** The line that answers; how the kernel stands is told before it, unasked. */
    private static String answer(DescriptorSocket connection, List<Integer> received) throws IOException {
        StringBuilder text = new StringBuilder();
        while (text.length() < MOST_BYTES_OF_AN_ANSWER) {
            Message message = connection.receive(MOST_BYTES_OF_AN_ANSWER, 1 + 2 * MOST_VECTORS - received.size());
            received.addAll(message.descriptors());
            if (message.bytes().length == 0) {
                break;
            }
            text.append(new String(message.bytes(), StandardCharsets.US_ASCII));
            for (String line : text.substring(0, text.lastIndexOf("\n") + 1).split("\n")) {
                if (line.startsWith("LINK ") || line.startsWith("ERROR")) {
                    return line;
                }
            }
        }
        return "no answer came";
    }

    void ring(int vector) {
        try {
            descriptors.signal(rings.get(Math.min(vector, rings.size() - 1)));
        } catch (IOException e) {
            // an eventfd that we hold takes a one unless it is full, and then it is rung already
            throw new IllegalStateException(e);
        }
    }

    /** What the kernel rang is heard. */
    void drain() throws IOException {
        for (int bell : waits) {
            descriptors.drain(bell);
        }
    }

    @Override
    public void close() {
        memory.close();
        waits.forEach(descriptors::close);
        rings.forEach(descriptors::close);
        keeper.close();
    }
}
