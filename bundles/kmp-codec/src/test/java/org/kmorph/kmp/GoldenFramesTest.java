// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;

/** docs/kmp.md, kernel/include/kmp.h and this codec agree on every byte of one frame of each type. */
class GoldenFramesTest {
    @Test
    void pageHasTheFramesThatTheCodecWrites() throws IOException {
        Map<String, String> page = new LinkedHashMap<>();
        SpecificationPage.frames().forEach((name, frame) -> page.put(name, SpecificationPage.dump(frame)));
        Map<String, String> codec = new LinkedHashMap<>();
        encoded().forEach((name, frame) -> codec.put(name, SpecificationPage.dump(frame)));
        assertThat(page).containsExactlyEntriesOf(codec);
    }

    @Test
    void codecReadsThePagesFramesAsTheMessagesTheyAre() throws IOException {
        Map<String, Message> read = new LinkedHashMap<>();
        for (Map.Entry<String, byte[]> frame : SpecificationPage.frames().entrySet()) {
            Collector collector = new Collector();
            new FrameDecoder().feed(ByteBuffer.wrap(frame.getValue()), 0, collector);
            assertThat(collector.messages).as(frame.getKey()).hasSize(1);
            read.put(frame.getKey(), collector.messages.get(0));
        }
        assertThat(read).containsExactlyEntriesOf(GoldenFrames.messages());
    }

    @Test
    void headerForCBuildsThePagesFrames(@TempDir Path directory) throws IOException, InterruptedException {
        ByteArrayOutputStream page = new ByteArrayOutputStream();
        for (byte[] frame : SpecificationPage.frames().values()) {
            page.write(frame);
        }
        String program = directory.resolve("golden").toString();
        Gcc.run(List.of("-o", program, "src/test/c/golden.c"));
        assertThat(SpecificationPage.dump(Gcc.output(List.of(program))))
                .isEqualTo(SpecificationPage.dump(page.toByteArray()));
    }

    @Test
    void everyTypeHasAFrameOnThePage() {
        assertThat(GoldenFrames.messages().values().stream().map(Message::type).collect(Collectors.toSet()))
                .containsAll(Stream.of(MessageType.values())
                        .filter(type -> !type.name().endsWith("_ANSWER"))
                        .toList());
        Set<Class<?>> items = GoldenFrames.messages().values().stream()
                .flatMap(message -> message.items().stream())
                .map(Object::getClass)
                .collect(Collectors.toSet());
        assertThat(items).containsExactlyInAnyOrder(Item.class.getPermittedSubclasses());
    }

    private static Map<String, byte[]> encoded() {
        Map<String, byte[]> frames = new LinkedHashMap<>();
        FrameEncoder encoder = new FrameEncoder();
        GoldenFrames.messages().forEach((name, message) -> {
            int sequence = frames.size() + 1;
            ByteBuffer frame = encoder.encode(message, sequence, sequence * 1_000_000_000L);
            byte[] bytes = new byte[frame.remaining()];
            frame.get(bytes);
            frames.put(name, bytes);
        });
        return frames;
    }
}
