// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** Tables that were read once are taken again for the same kernel, and for no other. */
class RecentTest {
    private final byte[] memory = TinyKernel.memory();

    private DeadKernel read() throws Exception {
        PhysicalMemory physical = TinyKernel.of(memory);
        return DeadKernel.read(physical, Vmcoreinfo.scan(physical).orElseThrow());
    }

    @Test
    void aKernelOfTheSameBuildHasTheSameTypes() throws Exception {
        assertThat(read().types()).isSameAs(read().types());
    }

    @Test
    void aTypeThatIsCalledOtherwiseInThisMemoryIsSeen() throws Exception {
        assertThat(read().types().find("task_struct", "comm")).isPresent();
        int at = new String(memory, StandardCharsets.ISO_8859_1).indexOf("\0comm\0");
        memory[at + 1] = 'd';
        assertThat(read().types().find("task_struct", "comm")).isEmpty();
        assertThat(read().types().find("task_struct", "domm")).isPresent();
    }

    @Test
    void aSymbolThatIsCalledOtherwiseInThisMemoryIsSeen() throws Exception {
        DeadKernel before = read();
        long names = before.info().need("SYMBOL(kallsyms_names)") - TinyKernel.TEXT;
        String text = new String(memory, StandardCharsets.ISO_8859_1);
        memory[text.indexOf("init_task", (int) names)] = 'I';
        assertThat(read().symbols().find("init_task")).isEmpty();
        assertThat(read().symbols().find("Init_task"))
                .isEqualTo(before.symbols().find("init_task"));
        assertThat(before.symbols().find("init_task")).isPresent();
    }

    @Test
    void aKernelOfTheSameBuildThatLiesElsewhereHasItsOwnAddresses() throws Exception {
        DeadKernel before = read();
        int base = (int) (before.info().need("SYMBOL(kallsyms_relative_base)") - TinyKernel.TEXT);
        ByteBuffer bytes = ByteBuffer.wrap(memory).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(base, bytes.getLong(base) + 0x1000);
        long init = before.symbols().need("init_task");
        Kallsyms moved = Kallsyms.read(new AddressSpace(TinyKernel.of(memory), before.info()), before.info());
        assertThat(moved.need("init_task")).isEqualTo(init + 0x1000);
        assertThat(before.symbols().need("init_task")).isEqualTo(init);
    }
}
