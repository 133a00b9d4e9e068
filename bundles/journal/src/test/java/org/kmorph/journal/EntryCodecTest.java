// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.JournalException;

class EntryCodecTest {
    @Property
    void fieldsComeBackAsWritten(@ForAll Map<String, String> fields) throws JournalException {
        boolean text = fields.entrySet().stream().allMatch(f -> isText(f.getKey()) && isText(f.getValue()));
        Entry entry = Entry.of("a", "k", fields);
        if (text) {
            assertThat(EntryCodec.decode(EntryCodec.encode(entry))).isEqualTo(fields);
        } else {
            assertThatThrownBy(() -> EntryCodec.encode(entry)).hasMessageContaining("no Unicode text");
        }
    }

    @Test
    void aPersonCanReadThem() throws JournalException {
        byte[] encoded = EntryCodec.encode(Entry.of("a", "k", Map.of("state", "RUNNING", "a=b", "1=1\n2\\")));
        assertThat(new String(encoded, StandardCharsets.UTF_8)).isEqualTo("a\\=b=1=1\\n2\\\\\nstate=RUNNING\n");
    }

    @Test
    void halfALineIsRefused() {
        for (String half : new String[] {"a", "a=b", "a=b\nc"}) {
            assertThatThrownBy(() -> EntryCodec.decode(half.getBytes(StandardCharsets.UTF_8)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void theCheckCoversEveryPartAndWhereItEnds() {
        byte[] fields = {1};
        Instant time = Instant.EPOCH;
        assertThat(LongStream.of(
                                EntryCodec.check(time, "a", "b", "c", false, fields),
                                EntryCodec.check(time.plusNanos(1), "a", "b", "c", false, fields),
                                EntryCodec.check(time, "ab", "", "c", false, fields),
                                EntryCodec.check(time, "a", "bc", "", false, fields),
                                EntryCodec.check(time, "a", "b", "c", true, fields),
                                EntryCodec.check(time, "a", "b", "c", false, new byte[] {2}))
                        .distinct())
                .hasSize(6);
    }

    private static boolean isText(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }
}
