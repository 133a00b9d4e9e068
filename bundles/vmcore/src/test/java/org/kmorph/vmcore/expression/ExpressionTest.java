// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.expression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.kernel.TinyKernel;
import org.kmorph.vmcore.kernel.Vmcoreinfo;
import org.kmorph.vmcore.memory.MissingMemoryException;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** What is printed of a small kernel whose every byte is known. */
class ExpressionTest {
    private static String print(String text) throws IOException, BadExpressionException {
        PhysicalMemory memory = TinyKernel.of(TinyKernel.memory());
        DeadKernel kernel = DeadKernel.read(memory, Vmcoreinfo.scan(memory).orElseThrow());
        return new Printer(kernel).print(new Evaluator(kernel).find(Expression.parse(text)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "init_task.pid | -7",
                "init_task.comm | \"idle\\t\\\"0\\\"\"",
                "init_task.comm[1] | 100",
                "init_task.next | 0xffffffff80060000",
                "init_task.next->next->pid | -7",
                " init_task . next . comm [ 0x0 ] | 105",
                "init_task.low | 5",
                "init_task.high | -2",
                "init_task.state | RUNNING (1)",
                "init_task.number | 1",
                "init_task.dead | true",
                "runqueues[0].nr_running | 3",
                "runqueues[1].nr_running | 4",
                "runqueues[1].curr->comm[01] | 100",
                "states[3] | 33",
                "(struct task_struct) 0xffffffff80060000.pid | -7",
                "(struct task_struct *) 18446744071562461184 ->pid | -7",
                "(int) init_task | -7",
                "nr_cpu_ids | 2",
                "linux_banner | \"Linux version tiny\\n\"",
            })
    void valuesAreAsTheyStandInMemory(String expression, String value) throws Exception {
        assertThat(print(expression)).isEqualTo(value);
    }

    @Test
    void structuresAndArraysArePrintedWhole() throws Exception {
        assertThat(print("*init_task.next"))
                .startsWith("{\n  .pid = -7,\n  .comm = \"idle")
                .contains(
                        "  {\n    .state = RUNNING (1),\n    .number = 1,\n  },\n",
                        "  .dead = true,\n  .tasks = {\n    .next = 0xffffffff80061060,\n")
                .endsWith("\n}");
        assertThat(print("states")).startsWith("{0, 0, 0, 33, 0").endsWith(", … 36 more}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nosuch | no symbol \"nosuch\"",
                "somewhere | the type of somewhere is not known",
                "runqueues | runqueues[0] to runqueues[1]",
                "runqueues[2] | runqueues[0] to runqueues[1]",
                "runqueues.nr_running | runqueues[0] to runqueues[1]",
                "states[100] | elements 0 to 99",
                "init_task.nosuch | it has pid, comm, next",
                "init_task.pid.x | int has no member \"x\"",
                "init_task.pid[0] | int has no elements",
                "*init_task.pid | int is no pointer",
                "(struct nosuch) init_task | no type \"nosuch\"",
                "0xffffffff80060000 | Say it: (struct TYPE)",
                "(int) 99999999999999999999 | more than 64 bits",
            })
    void whatDoesNotFitIsSaidWithWhatWould(String expression, String message) {
        assertThatThrownBy(() -> print(expression))
                .isInstanceOf(BadExpressionException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", ".comm", "init_task.", "init_task[", "init_task[-1]", "a b", "x]", "->"})
    void nonsenseIsNoExpression(String text) {
        assertThatThrownBy(() -> Expression.parse(text)).isInstanceOf(BadExpressionException.class);
    }

    @Test
    void aLongExpressionIsRefusedBeforeItIsRead() {
        assertThatThrownBy(() -> Expression.parse("a" + ".b".repeat(1000)))
                .isInstanceOf(BadExpressionException.class)
                .hasMessageContaining("…");
    }

    @Test
    void memoryThatIsNotThereIsSaid() {
        assertThatThrownBy(() -> print("(struct task_struct) 0xffffffff8f000000.pid"))
                .isInstanceOf(MissingMemoryException.class);
        assertThatThrownBy(() -> print("(int) 0x10")).isInstanceOf(MissingMemoryException.class);
        assertThat(List.of("(struct task_struct) 0xffffffff8008fff0"))
                .allSatisfy(expression -> assertThat(print(expression)).contains("(not there: "));
    }
}
