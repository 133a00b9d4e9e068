// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.kmorph.vmcore.kernel.AddressSpace;
import org.kmorph.vmcore.kernel.Btf;
import org.kmorph.vmcore.kernel.DeadKernel;

/** Finds tasks: all of them, and those that are on processors. */
final class Tasks {
    private static final int MOST = 1 << 17;

    private final DeadKernel kernel;
    private final AddressSpace space;
    private final int list;
    private final int signal;
    private final int threadHead;
    private final int threadNode;
    private final int pid;
    private final int group;
    private final int name;
    private final int state;
    private final int exitState;
    private final int stack;
    private final int stackPointer;
    private final int memory;
    private final Optional<Btf.Member> residents;

    Tasks(DeadKernel kernel) throws IOException {
        this.kernel = kernel;
        this.space = kernel.space();
        list = kernel.offset("task_struct", "tasks");
        signal = kernel.offset("task_struct", "signal");
        threadHead = kernel.offset("signal_struct", "thread_head");
        threadNode = kernel.offset("task_struct", "thread_node");
        pid = kernel.offset("task_struct", "pid");
        group = kernel.offset("task_struct", "tgid");
        name = kernel.offset("task_struct", "comm");
        state = kernel.offset("task_struct", "__state");
        exitState = kernel.offset("task_struct", "exit_state");
        stack = kernel.offset("task_struct", "stack");
        stackPointer = kernel.offset("task_struct", "thread.sp");
        memory = kernel.offset("task_struct", "mm");
        residents = kernel.types().find("mm_struct", "rss_stat");
    }

    /** All tasks and their threads. What is damaged ends the walk and is noted. */
    List<Task> all(List<String> notes) throws IOException {
        long first = kernel.symbols().need("init_task");
        List<Task> found = new ArrayList<>();
        Set<Long> seen = new HashSet<>();
        long leader = first;
        try {
            do {
                threads(leader, leader == first, found, seen);
                leader = space.u64(leader + list) - list;
            } while (leader != first && !seen.contains(leader) && found.size() < MOST);
            if (leader != first) {
                notes.add(
                        "the list of tasks does not end where it began: it is damaged, and was read as far as it could be");
            }
        } catch (IOException e) {
            notes.add("the list of tasks ends early: " + e.getMessage());
        }
        idle(found, seen, notes);
        return found;
    }

    private void threads(long leader, boolean alone, List<Task> found, Set<Long> seen) throws IOException {
        if (alone) {
            seen.add(leader);
            found.add(task(leader));
            return;
        }
        long head = space.u64(leader + signal) + threadHead;
        long node = space.u64(head);
        while (node != head && found.size() < MOST) {
            long task = node - threadNode;
            if (!seen.add(task)) {
                break;
            }
            found.add(task(task));
            node = space.u64(node);
        }
        if (seen.add(leader)) {
            found.add(task(leader));
        }
    }

    /** The idle tasks of the other processors are in no list. */
    private void idle(List<Task> found, Set<Long> seen, List<String> notes) {
        try {
            int offset = kernel.offset("rq", "idle");
            for (int cpu = 1; cpu < kernel.processors(); cpu++) {
                long task = space.u64(kernel.perCpu("runqueues", cpu) + offset);
                if (task != 0 && seen.add(task)) {
                    found.add(task(task));
                }
            }
        } catch (IOException e) {
            notes.add("idle tasks: " + e.getMessage());
        }
    }

    /** The task that is current on a processor. */
    Task current(int cpu) throws IOException {
        Optional<Btf.Member> hot = kernel.types().find("pcpu_hot", "current_task");
        if (hot.isPresent() && kernel.symbols().find("pcpu_hot").isPresent()) {
            return task(space.u64(kernel.perCpu("pcpu_hot", cpu) + hot.get().offset()));
        }
        return task(space.u64(kernel.perCpu("current_task", cpu)));
    }

    private Task task(long address) throws IOException {
        return new Task(
                address,
                space.u32(address + pid),
                space.u32(address + group),
                space.text(address + name, 16),
                state(space.u32(address + state) | space.u32(address + exitState)),
                space.u64(address + stack),
                space.u64(address + stackPointer),
                residentPages(space.u64(address + memory)));
    }

    /** Counters of file, anonymous and shared pages; those of 6.2 and later are percpu_counter, whose count may be a little behind. */
    private long residentPages(long mm) {
        if (mm == 0) {
            return 0;
        }
        if (residents.isEmpty()) {
            return -1;
        }
        try {
            Btf types = kernel.types();
            int type = types.resolve(residents.get().type());
            long base = mm + residents.get().offset();
            long total = 0;
            if (types.kind(type) == Btf.ARRAY) {
                int count = kernel.offset("percpu_counter", "count");
                long size = types.size(types.target(type));
                for (int i : new int[] {0, 1, 3}) {
                    total += space.u64(base + i * size + count);
                }
            } else {
                int counts = kernel.offset("mm_rss_stat", "count");
                for (int i : new int[] {0, 1, 3}) {
                    total += space.u64(base + counts + 8L * i);
                }
            }
            return Math.max(0, total);
        } catch (IOException e) {
            return -1;
        }
    }

    private static String state(int bits) {
        if (bits == 0) {
            return "R";
        }
        if ((bits & 0x402) == 0x402) {
            return "I";
        }
        String names = "SDTtXZPI";
        int[] masks = {1, 2, 4, 8, 16, 32, 64};
        for (int i = 0; i < masks.length; i++) {
            if ((bits & masks[i]) != 0) {
                return names.substring(i, i + 1);
            }
        }
        return "0x" + Integer.toHexString(bits);
    }
}
