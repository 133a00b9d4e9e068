// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FrameworkStorageTest {
    @TempDir
    Path scratch;

    private Path cache;
    private Path memory;

    @BeforeEach
    void makeDirectories() throws IOException {
        cache = Files.createDirectory(scratch.resolve("cache"));
        memory = Files.createDirectory(scratch.resolve("memory"));
    }

    private FrameworkStorage used() throws IOException {
        FrameworkStorage storage = FrameworkStorage.create(cache, memory);
        Files.writeString(
                Files.createDirectory(storage.directory().resolve("bundle1")).resolve("bundle.id"), "1");
        return storage;
    }

    @Test
    void isForItsOwnerAloneAndInMemory() throws IOException {
        Path directory = used().directory();
        assertThat(directory).hasParent(memory);
        assertThat(Files.getPosixFilePermissions(directory)).hasSize(3);
    }

    @Test
    void isInTheCacheWhereThereIsNoMemoryForIt() throws IOException {
        FrameworkStorage storage = FrameworkStorage.create(cache, scratch.resolve("absent"));
        assertThat(storage.directory()).isEmptyDirectory().startsWith(cache);
        storage.delete();
        assertThat(cache.resolve("framework")).isEmptyDirectory();
    }

    @Test
    void whatEarlierStartsLeftIsDeletedAndWhatOthersHaveIsNot() throws IOException {
        used();
        Files.createDirectories(cache.resolve("framework/start-1/bundle1"));
        Path others = Files.createDirectory(memory.resolve("kmorphd-of-another-cache"));
        FrameworkStorage storage = used();
        storage.deleteOthers();
        assertThat(Files.list(memory)).containsExactlyInAnyOrder(storage.directory(), others);
        assertThat(Files.list(cache.resolve("framework"))).hasSize(1);
    }

    @Test
    void aStopLeavesNothing() throws IOException {
        used().delete();
        assertThat(memory).isEmptyDirectory();
        assertThat(cache.resolve("framework")).isEmptyDirectory();
    }

    @Test
    void aRestartOfTheMachineHasEmptiedTheMemory() throws IOException {
        FrameworkStorage former = used();
        Files.delete(former.directory().resolve("bundle1/bundle.id"));
        Files.delete(former.directory().resolve("bundle1"));
        Files.delete(former.directory());
        used().deleteOthers();
        assertThat(Files.list(cache.resolve("framework"))).hasSize(1);
    }
}
