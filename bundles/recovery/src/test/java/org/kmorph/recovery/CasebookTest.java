// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;

/** What the journal tells of an instance: the kernel that its name can fall back to, and what others have done to it. */
@Timeout(60)
class CasebookTest {
    private static final String PRESENT = "/boot/vmlinuz";

    /** @param ran what the name ran, one after the other, with the present one last */
    @ParameterizedTest
    @CsvSource({
        "/boot/vmlinuz,",
        "/boot/vmlinuz /boot/vmlinuz,",
        "/boot/good /boot/vmlinuz,                           /boot/good",
        "/boot/good /boot/vmlinuz /boot/vmlinuz,             /boot/good",
        "/boot/older /boot/good /boot/vmlinuz,               /boot/good",
        "/boot/good /boot/vmlinuz /boot/good /boot/vmlinuz,  /boot/good",
        // fallen back from "bad"
        "/boot/vmlinuz /boot/bad /boot/vmlinuz,",
        "/boot/good /boot/vmlinuz /boot/bad /boot/vmlinuz,   /boot/good",
    })
    void isTheOneBeforeItFirstRanThePresentOne(String ran, String before) throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            Instance web = world.running("web", 9);
            int id = 1;
            for (String kernel : ran.split(" ")) {
                world.recorded(id++, web.spec().on(Path.of(kernel)));
            }
            assertThat(web.spec().kernel()).isEqualTo(Path.of(PRESENT));
            assertThat(world.casebook().kernelBefore(web))
                    .isEqualTo(Optional.ofNullable(before).map(Path::of));
        }
    }

    @Test
    void whoIsToBeGoneIsKnownByItsIdAndOnlyUntilThatIsTakenBack() throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            Instance web = world.running("web", 9);
            world.recorded(8, web.spec(), InstanceState.FENCED, true);
            assertThat(world.casebook().isBeingTerminated(web)).isFalse();
            world.recorded(9, web.spec(), InstanceState.FENCED, true);
            assertThat(world.casebook().isBeingTerminated(web)).isTrue();
            world.recorded(9, web.spec(), InstanceState.FENCED, false);
            assertThat(world.casebook().isBeingTerminated(web)).isFalse();
        }
    }
}
