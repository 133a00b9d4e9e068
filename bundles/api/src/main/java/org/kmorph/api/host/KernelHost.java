// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.host;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.kmorph.api.instance.InstanceSpec;

/**
 * Makes, finds, fences and removes kernels of one kind. Register it as a service; {@code spawn --host=NAME} finds it by
 * {@link #name}. It keeps no truth of its own: what it must know after a restart lies in the instance's directory, made before
 * {@link #start} and removed by {@link #release}. Every method may be called again after a crash in the middle of it. Thread-safe.
 */
public interface KernelHost {
    /** The kind, as {@code --host} names it. */
    String name();

    /** The context id that an instance of this id will have; id + 2 unless the kernel underneath numbers otherwise. */
    default long contextId(int id) {
        return id + 2L;
    }

    /**
     * Checks what can be checked before anything is made: the image, the options, the programs it needs.
     *
     * @return what the image says of itself
     * @throws HostException when it cannot be started; the message says what to do
     */
    KernelImage inspect(InstanceSpec spec) throws HostException;

    /**
     * Starts a kernel. When it throws, nothing of it runs.
     *
     * @param id the instance's id
     * @param directory the instance's own, existing directory, mode 0700, below the state directory
     */
    HostedKernel start(int id, InstanceSpec spec, Path directory, KernelEvents events)
            throws HostException, InterruptedException;

    /**
     * Takes over a kernel that a former daemon started, or establishes that there is none any more.
     *
     * @return the kernel, running or ended
     * @throws HostException when neither can be established; the instance is then held
     */
    HostedKernel adopt(int id, InstanceSpec spec, Path directory, KernelEvents events)
            throws HostException, InterruptedException;

    /**
     * Makes sure that the kernel runs no more, and returns only when that is certain. Idempotent.
     *
     * @throws HostException when it is not certain after {@code patience}: nothing of the instance may be reused
     */
    void fence(int id, Path directory, Duration patience) throws HostException, InterruptedException;

    /** Whether its kernels have memory of their own, which {@link #memory} can show. */
    default boolean hasMemory() {
        return true;
    }

    /** The fenced (or, at the caller's own risk, the running) kernel's physical memory. @throws HostException where it has none. */
    List<MemoryRange> memory(int id, Path directory) throws HostException;

    /**
     * What its CPUs' registers are, or were when it was fenced: for each CPU, in their order, an ELF note NT_PRSTATUS of x86-64
     * (struct elf_prstatus), 336 bytes as a core file holds them, without the note's header and name. Of a running kernel they are those
     * of the moment; it may stand still for some milliseconds. Empty where nobody can tell: the host has no access to them, or the machine
     * ended before it was fenced.
     *
     * @throws HostException when there are some, and they cannot be read
     */
    default List<byte[]> registers(int id, Path directory) throws HostException {
        return List.of();
    }

    /** Removes all that is left of a fenced kernel, except the directory itself. Idempotent. */
    void release(int id, Path directory) throws HostException, InterruptedException;
}
