// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** The memory of a kernel that has symbols, types, a log, three tasks and a few variables, and nothing else. All lies in the mapping of its text. */
public final class TinyKernel {
    public static final long TEXT = AddressSpace.TEXT_MAP;
    public static final int BYTES = 0x90000;

    private static final int NOTE = 0x5000;
    private static final int TABLES = 0x20000;
    private static final int BTF = 0x40000;
    private static final int TASK_BYTES = 256;
    private static final int SIGNAL = 112;

    /** Offsets in task_struct. */
    public static final int TASKS = 96;

    public static final int THREAD_NODE = 120;

    /** Physical addresses. */
    public static final int INIT_TASK = 0x60000;

    public static final int LEADER = 0x61000;
    public static final int THREAD = 0x62000;
    public static final int PAGE_TABLE = 0x10000;

    private static final int SIGNALS = 0x63000;
    private static final int RING = 0x64100;
    private static final int STATES = 0x60100;
    private static final int BANNER = 0x60200;
    private static final int PER_CPU = 0x70000;

    private final byte[] memory = new byte[BYTES];
    private final ByteBuffer bytes = ByteBuffer.wrap(memory).order(ByteOrder.LITTLE_ENDIAN);
    private final Map<String, Long> symbols = new LinkedHashMap<>();
    private final ByteArrayOutputStream strings = new ByteArrayOutputStream();
    private final ByteArrayOutputStream types = new ByteArrayOutputStream();
    private final List<String> info = new ArrayList<>();

    private TinyKernel() {
        strings.write(0);
        types();
        variables();
        tasks();
        log();
        btf();
        kallsyms();
        note();
    }

    /** Its whole memory, from physical address 0 on. */
    public static byte[] memory() {
        return new TinyKernel().memory;
    }

    /** Memory that is just bytes. */
    public static PhysicalMemory of(byte[] bytes) {
        return new PhysicalMemory() {
            @Override
            public List<Extent> extents() {
                return List.of(new Extent(0, bytes.length));
            }

            @Override
            public boolean page(long frame, byte[] into) {
                if (frame < 0 || frame >= bytes.length / PAGE) {
                    return false;
                }
                System.arraycopy(bytes, (int) frame * PAGE, into, 0, PAGE);
                return true;
            }
        };
    }

    private int name(String name) {
        int at = strings.size();
        strings.writeBytes((name + "\0").getBytes(StandardCharsets.US_ASCII));
        return name.isEmpty() ? 0 : at;
    }

    private void type(String name, int kind, int length, int sizeOrType, int... rest) {
        ByteBuffer one = ByteBuffer.allocate(12 + 4 * rest.length).order(ByteOrder.LITTLE_ENDIAN);
        one.putInt(name(name)).putInt(kind << 24 | length).putInt(sizeOrType);
        for (int word : rest) {
            one.putInt(word);
        }
        types.writeBytes(one.array());
    }

    private void types() {
        type("char", Btf.INT, 0, 1, 1 << 24 | 8);
        type("int", Btf.INT, 0, 4, 1 << 24 | 32);
        type("unsigned int", Btf.INT, 0, 4, 32);
        type("_Bool", Btf.INT, 0, 1, 4 << 24 | 8);
        // 5 and 6: char[16], int[100]
        type("", Btf.ARRAY, 0, 0, 1, 2, 16);
        type("", Btf.ARRAY, 0, 0, 2, 2, 100);
        type("state", Btf.ENUM, 2, 4, name("SLEEPING"), 0, name("RUNNING"), 1);
        // 8: struct task_struct *
        type("", Btf.POINTER, 0, 9);
        type(
                "task_struct",
                Btf.STRUCT,
                16 | 1 << 7 << 24,
                TASK_BYTES,
                name("pid"),
                2,
                0,
                name("comm"),
                5,
                4 * 8,
                name("next"),
                8,
                24 * 8,
                name("low"),
                3,
                3 << 24 | 32 * 8,
                name("high"),
                2,
                5 << 24 | 32 * 8 + 3,
                name(""),
                10,
                40 * 8,
                name("dead"),
                4,
                64 * 8,
                name("tasks"),
                15,
                TASKS * 8,
                name("signal"),
                16,
                SIGNAL * 8,
                name("thread_node"),
                15,
                THREAD_NODE * 8,
                name("tgid"),
                2,
                136 * 8,
                name("__state"),
                3,
                140 * 8,
                name("exit_state"),
                2,
                144 * 8,
                name("stack"),
                16,
                152 * 8,
                name("thread"),
                17,
                160 * 8,
                name("mm"),
                16,
                168 * 8);
        type("", Btf.UNION, 2, 4, name("state"), 7, 0, name("number"), 3, 0);
        type("rq", Btf.STRUCT, 3, 24, name("nr_running"), 3, 0, name("curr"), 8, 64, name("idle"), 8, 128);
        type("runqueues", 14, 0, 11, 1);
        type("long unsigned int", Btf.INT, 0, 8, 64);
        type("states", 14, 0, 6, 1);
        type("list_head", Btf.STRUCT, 2, 16, name("next"), 16, 0, name("prev"), 16, 64);
        type("", Btf.POINTER, 0, 0);
        type("thread_struct", Btf.STRUCT, 1, 8, name("sp"), 13, 0);
        type("signal_struct", Btf.STRUCT, 1, 16, name("thread_head"), 15, 0);
    }

    private void symbol(String name, long physical) {
        symbols.put(name, TEXT + physical);
    }

    private void variables() {
        symbol("init_task", INIT_TASK);
        bytes.putInt(INIT_TASK, -7);
        text(INIT_TASK + 4, "idle\t\"0\"");
        bytes.putLong(INIT_TASK + 24, TEXT + INIT_TASK);
        bytes.put(INIT_TASK + 32, (byte) (5 | 0b11110 << 3));
        bytes.putInt(INIT_TASK + 40, 1);
        bytes.put(INIT_TASK + 64, (byte) 1);
        symbol("states", STATES);
        bytes.putInt(STATES + 12, 33);
        symbol("linux_banner", BANNER);
        text(BANNER, "Linux version tiny\n");
        symbol("nr_cpu_ids", BANNER + 64);
        bytes.putInt(BANNER + 64, 2);
        symbol("somewhere", BANNER + 128);
        symbol("__per_cpu_offset", BANNER + 256);
        for (int cpu = 0; cpu < 2; cpu++) {
            bytes.putLong(BANNER + 256 + 8 * cpu, TEXT + PER_CPU + 0x1000L * cpu);
            bytes.putInt(PER_CPU + 0x1000 * cpu + 0x100, 3 + cpu);
            bytes.putLong(PER_CPU + 0x1000 * cpu + 0x108, TEXT + INIT_TASK);
        }
        symbols.put("runqueues", 0x100L);
    }

    /** A thread of a process of two: the leader is in the list of tasks, both are in that of its threads. */
    private void tasks() {
        task(LEADER, 7, "leader");
        task(THREAD, 8, "thread");
        list(TASKS, INIT_TASK, LEADER);
        bytes.putLong(LEADER + SIGNAL, TEXT + SIGNALS).putLong(THREAD + SIGNAL, TEXT + SIGNALS);
        bytes.putLong(SIGNALS, TEXT + LEADER + THREAD_NODE);
        bytes.putLong(LEADER + THREAD_NODE, TEXT + THREAD + THREAD_NODE);
        bytes.putLong(THREAD + THREAD_NODE, TEXT + SIGNALS);
        symbols.put("current_task", 0x200L);
        for (int cpu = 0; cpu < 2; cpu++) {
            bytes.putLong(PER_CPU + 0x1000 * cpu + 0x110, TEXT + INIT_TASK);
            bytes.putLong(PER_CPU + 0x1000 * cpu + 0x200, TEXT + (cpu == 0 ? THREAD : INIT_TASK));
        }
    }

    private void list(int member, int... tasks) {
        for (int i = 0; i < tasks.length; i++) {
            bytes.putLong(tasks[i] + member, TEXT + tasks[(i + 1) % tasks.length] + member);
        }
    }

    private void task(int at, int pid, String name) {
        bytes.putInt(at, pid);
        text(at + 4, name);
        bytes.putInt(at + 136, 7);
    }

    /** One line in the ring of kernel/printk/printk_ringbuffer.h. */
    private void log() {
        bytes.putLong(RING - 8, TEXT + RING);
        // desc_ring: four records; text_data_ring: 256 bytes
        bytes.putInt(RING, 2).putLong(RING + 8, TEXT + RING + 256).putLong(RING + 16, TEXT + RING + 512);
        bytes.putInt(RING + 64, 8).putLong(RING + 72, TEXT + RING + 1024);
        bytes.putLong(RING + 256, 1L << 62).putLong(RING + 264, 0).putLong(RING + 272, 64);
        String line = "Kernel panic - not syncing: tiny";
        bytes.putLong(RING + 512, 1_500_000_000L).putShort(RING + 520, (short) line.length());
        text(RING + 1024 + 8, line);
        info.add("SYMBOL(prb)=" + Long.toHexString(TEXT + RING - 8));
        Map<String, Integer> numbers = Map.ofEntries(
                Map.entry("OFFSET(printk_ringbuffer.desc_ring)", 0),
                Map.entry("OFFSET(printk_ringbuffer.text_data_ring)", 64),
                Map.entry("OFFSET(prb_desc_ring.count_bits)", 0),
                Map.entry("OFFSET(prb_desc_ring.descs)", 8),
                Map.entry("OFFSET(prb_desc_ring.infos)", 16),
                Map.entry("OFFSET(prb_desc_ring.head_id)", 24),
                Map.entry("OFFSET(prb_desc_ring.tail_id)", 32),
                Map.entry("OFFSET(prb_data_ring.size_bits)", 0),
                Map.entry("OFFSET(prb_data_ring.data)", 8),
                Map.entry("SIZE(prb_desc)", 24),
                Map.entry("OFFSET(prb_desc.state_var)", 0),
                Map.entry("OFFSET(prb_desc.text_blk_lpos)", 8),
                Map.entry("SIZE(printk_info)", 16),
                Map.entry("OFFSET(printk_info.ts_nsec)", 0),
                Map.entry("OFFSET(printk_info.text_len)", 8));
        numbers.forEach((name, number) -> info.add(name + "=" + number));
    }

    private void text(int at, String text) {
        bytes.put(at, text.getBytes(StandardCharsets.US_ASCII));
    }

    private void btf() {
        byte[] all = types.toByteArray();
        byte[] names = strings.toByteArray();
        bytes.putShort(BTF, (short) 0xeb9f).put(BTF + 2, (byte) 1).putInt(BTF + 4, 24);
        bytes.putInt(BTF + 8, 0).putInt(BTF + 12, all.length);
        bytes.putInt(BTF + 16, all.length).putInt(BTF + 20, names.length);
        bytes.put(BTF + 24, all).put(BTF + 24 + all.length, names);
        symbol("__start_BTF", BTF);
        symbol("__stop_BTF", BTF + 24 + all.length + names.length);
    }

    /** As scripts/kallsyms.c packs them, with a token for each character. */
    private void kallsyms() {
        int offsets = TABLES + 0x1000;
        int names = TABLES + 0x2000;
        int tokens = TABLES + 0x4000;
        int index = TABLES + 0x5000;
        bytes.putInt(TABLES, symbols.size()).putLong(TABLES + 8, TEXT);
        int at = names;
        int number = 0;
        for (Map.Entry<String, Long> symbol : symbols.entrySet()) {
            long value = symbol.getValue();
            bytes.putInt(offsets + 4 * number++, (int) (value >= 0 ? value : TEXT - 1 - value));
            memory[at++] = (byte) (symbol.getKey().length() + 1);
            text(at, "D" + symbol.getKey());
            at += symbol.getKey().length() + 1;
        }
        for (int token = 0; token < 256; token++) {
            bytes.putShort(index + 2 * token, (short) (2 * token));
            memory[tokens + 2 * token] = (byte) (token < 127 ? token : '?');
        }
        info("kallsyms_num_syms", TABLES);
        info("kallsyms_relative_base", TABLES + 8);
        info("kallsyms_offsets", offsets);
        info("kallsyms_names", names);
        info("kallsyms_token_table", tokens);
        info("kallsyms_token_index", index);
        info("swapper_pg_dir", PAGE_TABLE);
    }

    private void info(String symbol, long physical) {
        info.add("SYMBOL(" + symbol + ")=" + Long.toHexString(TEXT + physical));
    }

    private void note() {
        String text = "OSRELEASE=6.1.0-tiny\nNUMBER(phys_base)=0\n" + String.join("\n", info) + "\n";
        bytes.putInt(NOTE, 11).putInt(NOTE + 4, text.length());
        text(NOTE + 12, "VMCOREINFO");
        text(NOTE + 24, text);
    }
}
