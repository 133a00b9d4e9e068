// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpoolTest {
    @TempDir
    Path directory;

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String oldest(Spool spool) throws IOException, InterruptedException {
        return new String(spool.read(spool.awaitOldest()), StandardCharsets.UTF_8);
    }

    @Test
    void whatWaitsOutlivesTheSpoolInItsOrder() throws Exception {
        Spool first = new Spool(directory, 10);
        first.add(bytes("a"));
        first.add(bytes("b"));
        first.remove(first.awaitOldest());
        Spool second = new Spool(directory, 10);
        second.add(bytes("c"));
        assertThat(second.size()).isEqualTo(2);
        assertThat(oldest(second)).isEqualTo("b");
        second.remove(second.awaitOldest());
        assertThat(oldest(second)).isEqualTo("c");
    }

    @Test
    void whenThereIsNoRoomTheOldestGoes() throws Exception {
        Spool spool = new Spool(directory, 2);
        assertThat(spool.add(bytes("a"))).isZero();
        assertThat(spool.add(bytes("b"))).isZero();
        assertThat(spool.add(bytes("c"))).isEqualTo(1);
        assertThat(oldest(spool)).isEqualTo("b");
        assertThat(Files.list(directory)).hasSize(2);
        assertThat(new Spool(directory, 1).add(bytes("d"))).isEqualTo(2);
    }

    @Test
    void whatWasHalfWrittenIsNoEvent() throws Exception {
        Files.writeString(directory.resolve("half"), "{\"id\":");
        Spool spool = new Spool(directory, 2);
        assertThat(spool.size()).isZero();
        assertThat(directory).isEmptyDirectory();
    }
}
