// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ErrnoTest {
    @Test
    void everyNumberIsFoundAgain() {
        for (Errno errno : Errno.values()) {
            assertThat(Errno.of(errno.number())).contains(errno);
        }
    }

    @Test
    void numberOutsideTheTableStillMakesAMessage() {
        assertThat(new ErrnoException("ioctl", "", 4095)).hasMessage("ioctl: error (4095)");
    }
}
