// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.vmcore.kernel.AddressSpace;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.memory.MissingMemoryException;

/** Follows stacks by the kernel's own unwind tables. One thread. */
final class Unwinder {
    private static final int MOST_FRAMES = 64;
    private static final int STACK = 16384;
    /** Numbers of registers in an ORC entry. */
    private static final int BP = 4;

    private static final int SP = 5;
    private static final int BP_INDIRECT = 8;
    private static final int SP_INDIRECT = 9;
    /** Positions in struct pt_regs, in words. */
    private static final int REGS_BP = 4;

    private static final int REGS_IP = 16;
    private static final int REGS_CS = 17;
    private static final int REGS_SP = 19;

    /** What a kernel that dies calls; a stack slot that follows a call of one is where its end began. */
    private static final List<String> LAST_CALLS =
            List.of("panic", "nmi_panic", "__crash_kexec", "die", "oops_end", "kmsg_dump", "crash_save_cpu", "vpanic");

    private final AddressSpace space;
    private final Code code;
    private final Orc orc;
    private final DeadKernel kernel;

    Unwinder(DeadKernel kernel, Code code) throws IOException {
        this.kernel = kernel;
        this.space = kernel.space();
        this.code = code;
        this.orc = new Orc(kernel, code);
    }

    /** A task that is on no processor: it left one in switch_to, which keeps what is needed on the stack. */
    Backtrace sleeping(Task task) {
        try {
            long at = task.stackPointer();
            long bp = space.u64(at + kernel.offset("inactive_task_frame", "bp"));
            long ip = space.u64(at + kernel.offset("inactive_task_frame", "ret_addr"));
            int size = (int) kernel.types()
                    .size(kernel.types().structure("inactive_task_frame").orElse(0));
            return follow(task, -1, ip, at + size, bp, false, "where it left the processor");
        } catch (IOException e) {
            return new Backtrace(task, -1, List.of(), "not known: " + e.getMessage(), "where it left the processor");
        }
    }

    /** A task on a processor whose registers were kept. */
    Backtrace fromRegisters(Task task, int cpu, ByteBuffer status) {
        return follow(
                task,
                cpu,
                status.getLong(112 + 8 * REGS_IP),
                status.getLong(112 + 8 * REGS_SP),
                status.getLong(112 + 8 * REGS_BP),
                true,
                "registers");
    }

    /** A task on a processor of which nothing is known: looks through its stack for the call of something that kernels die in. */
    Optional<Backtrace> fromStack(Task task, int cpu) {
        try {
            ByteBuffer stack = space.bytes(task.stack(), STACK);
            Map<Long, String> calls = lastCalls();
            Backtrace best = null;
            for (int i = 1; i < STACK / 8; i++) {
                long value = stack.getLong(8 * i);
                if (!code.own(value) || !calls.containsKey(callBefore(value))) {
                    continue;
                }
                Backtrace found = follow(
                        task,
                        cpu,
                        value,
                        task.stack() + 8L * i + 8,
                        stack.getLong(8 * i - 8),
                        false,
                        "a stack slot that follows a call of " + calls.get(callBefore(value)));
                if (whole(found)) {
                    return Optional.of(found);
                }
                if (best == null || found.frames().size() > best.frames().size()) {
                    best = found;
                }
            }
            return Optional.ofNullable(best);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    static boolean whole(Backtrace trace) {
        return trace.end().equals("user") || trace.end().equals("end");
    }

    private Map<Long, String> lastCalls() {
        Map<Long, String> found = new java.util.HashMap<>();
        for (String name : LAST_CALLS) {
            kernel.symbols().find(name).ifPresent(address -> found.putIfAbsent(address, name));
        }
        return found;
    }

    /** Where the direct call before a return address goes; 0 when there is none. */
    private long callBefore(long address) throws IOException {
        ByteBuffer bytes;
        try {
            bytes = space.bytes(address - 5, 5);
        } catch (MissingMemoryException e) {
            return 0;
        }
        return (bytes.get(0) & 255) == 0xe8 ? address + bytes.getInt(1) : 0;
    }

    private Backtrace follow(Task task, int cpu, long ip, long sp, long bp, boolean exact, String source) {
        List<Frame> frames = new ArrayList<>();
        String end;
        try {
            end = steps(frames, ip, sp, bp, exact);
        } catch (IOException e) {
            end = "not known: " + e.getMessage();
        }
        return new Backtrace(task, cpu, frames, end, source);
    }

    private String steps(List<Frame> frames, long firstIp, long firstSp, long firstBp, boolean firstExact)
            throws IOException {
        long ip = firstIp;
        long sp = firstSp;
        long bp = firstBp;
        boolean exact = firstExact;
        while (frames.size() < MOST_FRAMES) {
            if (ip > 0) {
                return "user";
            }
            if (!code.holds(ip)) {
                return "not known: 0x" + Long.toHexString(ip) + " is no code";
            }
            frames.add(code.frame(ip, sp, exact));
            Optional<Orc.Entry> found = orc.at(exact ? ip : ip - 1);
            if (found.isEmpty()) {
                return "not known: no unwind table covers 0x" + Long.toHexString(ip);
            }
            Orc.Entry entry = found.get();
            if (entry.kind() == Orc.Kind.END) {
                return "end";
            }
            long frame =
                    switch (entry.spRegister()) {
                        case SP -> sp + entry.spOffset();
                        case BP -> bp + entry.spOffset();
                        case SP_INDIRECT -> space.u64(sp) + entry.spOffset();
                        case BP_INDIRECT -> space.u64(bp + entry.spOffset());
                        default -> 0;
                    };
            if (entry.kind() == Orc.Kind.UNDEFINED || frame == 0) {
                return "not known: the unwind table does not say how to go on from 0x" + Long.toHexString(ip);
            }
            switch (entry.kind()) {
                case REGISTERS -> {
                    if ((space.u64(frame + 8 * REGS_CS) & 3) != 0) {
                        return "user";
                    }
                    ip = space.u64(frame + 8 * REGS_IP);
                    sp = space.u64(frame + 8 * REGS_SP);
                    bp = space.u64(frame + 8 * REGS_BP);
                    exact = true;
                }
                case INTERRUPT -> {
                    if ((space.u64(frame + 8) & 3) != 0) {
                        return "user";
                    }
                    ip = space.u64(frame);
                    sp = space.u64(frame + 24);
                    exact = true;
                }
                default -> {
                    ip = space.u64(frame - 8);
                    if (entry.bpRegister() == 1) {
                        bp = space.u64(frame + entry.bpOffset());
                    } else if (entry.bpRegister() == BP) {
                        bp = space.u64(bp + entry.bpOffset());
                    }
                    sp = frame;
                    exact = false;
                }
            }
        }
        return "not known: more than " + MOST_FRAMES + " frames";
    }
}
