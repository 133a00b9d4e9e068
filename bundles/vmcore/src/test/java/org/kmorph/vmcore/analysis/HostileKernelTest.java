// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.kmorph.vmcore.expression.BadExpressionException;
import org.kmorph.vmcore.expression.Evaluator;
import org.kmorph.vmcore.expression.Expression;
import org.kmorph.vmcore.expression.Printer;
import org.kmorph.vmcore.kernel.AddressSpace;
import org.kmorph.vmcore.kernel.Btf;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.kernel.TinyKernel;
import org.kmorph.vmcore.kernel.Vmcoreinfo;
import org.kmorph.vmcore.memory.MissingMemoryException;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** Whatever a kernel's memory holds, reading it ends soon, in a report that says what could not be read. */
class HostileKernelTest {
    private static final Duration SOON = Duration.ofSeconds(5);

    /** The regions of a tiny kernel in which there is something. */
    private static final List<Integer> USED = List.of(
            0x5000, 0x10000, 0x20000, 0x21000, 0x22000, 0x24000, 0x25000, 0x40000, 0x40400, 0x60000, 0x61000, 0x62000,
            0x63000, 0x64000, 0x64400, 0x70000, 0x71000);

    private final byte[] memory = TinyKernel.memory();

    private ByteBuffer bytes() {
        return ByteBuffer.wrap(memory).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static Optional<Analysis> analyze(byte[] memory) throws IOException {
        PhysicalMemory pages = TinyKernel.of(memory);
        Optional<Vmcoreinfo> info = Vmcoreinfo.scan(pages);
        return info.map(there -> new Analyzer(pages, there, List.of()).run());
    }

    private Analysis analyze() {
        return Assertions.assertTimeoutPreemptively(SOON, () -> analyze(memory).orElseThrow());
    }

    @Test
    void oneThatIsWholeIsReadWhole() {
        Analysis found = analyze();
        assertThat(found.log())
                .extracting(Object::toString)
                .containsExactly("[    1.500000] Kernel panic - not syncing: tiny");
        assertThat(found.tasks()).extracting(Task::pid).containsExactly(-7, 7, 8);
        assertThat(found.current()).extracting(Task::name).startsWith("thread");
        assertThat(found.notes()).noneMatch(note -> note.contains("task"));
        assertThat(Verdict.of(found).kind()).isEqualTo(Verdict.Kind.PANIC);
    }

    @Test
    void listsOfTasksThatAreRingsEndAndAreSaidToBeDamaged() {
        bytes().putLong(TinyKernel.LEADER + TinyKernel.TASKS, TinyKernel.TEXT + TinyKernel.LEADER + TinyKernel.TASKS);
        Analysis found = analyze();
        assertThat(found.notes()).anyMatch(note -> note.contains("does not end where it began"));
        assertThat(found.tasks()).extracting(Task::pid).contains(7, 8);
    }

    @Test
    void listsOfThreadsThatAreRingsEnd() {
        int node = TinyKernel.THREAD + TinyKernel.THREAD_NODE;
        bytes().putLong(node, TinyKernel.TEXT + node);
        assertThat(analyze().tasks()).extracting(Task::pid).containsExactly(-7, 7, 8);
    }

    @Test
    void listsThatLeadNowhereEndWithANote() {
        bytes().putLong(TinyKernel.LEADER + TinyKernel.TASKS, 0x1234);
        assertThat(analyze().notes()).anyMatch(note -> note.contains("list of tasks ends early"));
    }

    @Test
    void pageTablesThatPointAtThemselvesEndTheWalk() throws IOException {
        for (int i = 0; i < 512; i++) {
            bytes().putLong(TinyKernel.PAGE_TABLE + 8 * i, TinyKernel.PAGE_TABLE | 1);
        }
        PhysicalMemory pages = TinyKernel.of(memory);
        AddressSpace space = new AddressSpace(pages, Vmcoreinfo.scan(pages).orElseThrow());
        assertThat(space.physical(0xffff888000123456L)).isEqualTo(TinyKernel.PAGE_TABLE + 0x456);
        bytes().putLong(TinyKernel.PAGE_TABLE + 8 * 273, 0x7ffffffff000L | 1);
        AddressSpace outside = new AddressSpace(pages, Vmcoreinfo.scan(pages).orElseThrow());
        assertThatThrownBy(() -> outside.u64(0xffff888000123456L)).isInstanceOf(MissingMemoryException.class);
    }

    @Test
    void lyingCountsAreSaid() {
        bytes().putInt(0x20000, Integer.MAX_VALUE);
        assertThat(analyze().notes()).anyMatch(note -> note.contains("claims 2147483647 symbols"));
        bytes().putInt(0x20000, 8).putInt(0x40000 + 12, -1);
        assertThat(analyze().notes()).anyMatch(note -> note.startsWith("symbols and types: "));
        bytes().putInt(0x64100, 31);
        assertThat(analyze().notes()).anyMatch(note -> note.contains("log claims 2^31 records"));
    }

    @Test
    void typesThatHoldThemselvesEndTheSearchForAMember() {
        int union = 0x40000;
        while (bytes().getInt(union) != 0 || bytes().getInt(union + 4) != (Btf.UNION << 24 | 2)) {
            union += 4;
        }
        for (int member = 0; member < 2; member++) {
            bytes().putInt(union + 12 + 12 * member, 0).putInt(union + 16 + 12 * member, 10);
        }
        Assertions.assertTimeoutPreemptively(SOON, () -> assertThatThrownBy(() -> print("init_task.nosuch"))
                .isInstanceOf(BadExpressionException.class)
                .hasMessageContaining("no member"));
        Assertions.assertTimeoutPreemptively(SOON, () -> print("init_task"));
    }

    /** A word that is written over another. */
    record Mutation(int at, long value) {}

    @Provide
    Arbitrary<List<Mutation>> mutations() {
        Arbitrary<Integer> places = Combinators.combine(
                        Arbitraries.of(USED), Arbitraries.integers().between(0, 0x7f))
                .as((region, word) -> region + 8 * word);
        Arbitrary<Long> values = Arbitraries.oneOf(
                Arbitraries.longs(),
                Arbitraries.of(0L, -1L, 1L, 0x7fffffffL, 0x80000000L, Long.MIN_VALUE),
                Arbitraries.of(USED).map(region -> TinyKernel.TEXT + region),
                Arbitraries.integers().between(0, 255).map(each -> each * 0x0101010101010101L));
        return Combinators.combine(places, values)
                .as(Mutation::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(40);
    }

    @Property(tries = 2000)
    void mutatedMemoryNeverDoesMoreThanFail(@ForAll("mutations") List<Mutation> mutations) {
        for (Mutation mutation : mutations) {
            bytes().putLong(mutation.at(), mutation.value());
        }
        Assertions.assertTimeout(SOON, () -> {
            try {
                analyze(memory).ifPresent(Verdict::of);
                print("*runqueues[0].curr");
                print("states");
            } catch (IOException | BadExpressionException e) {
                assertThat(e.getMessage()).isNotEmpty();
            }
        });
    }

    private void print(String expression) throws IOException, BadExpressionException {
        PhysicalMemory pages = TinyKernel.of(memory);
        Optional<Vmcoreinfo> info = Vmcoreinfo.scan(pages);
        if (info.isPresent()) {
            DeadKernel kernel = DeadKernel.read(pages, info.get());
            new Printer(kernel).print(new Evaluator(kernel).find(Expression.parse(expression)));
        }
    }
}
