// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

/**
 * A task of the dead kernel.
 *
 * @param address of its task_struct
 * @param state as ps names it: R, S, D, T, t, X, Z, I; or the number
 * @param stack the lowest address of its kernel stack; 0 when it has none
 * @param stackPointer where it left the processor; without meaning while it is on one
 * @param residentPages of its user memory; 0 for a kernel thread, -1 when not known
 */
public record Task(
        long address,
        int pid,
        int group,
        String name,
        String state,
        long stack,
        long stackPointer,
        long residentPages) {}
