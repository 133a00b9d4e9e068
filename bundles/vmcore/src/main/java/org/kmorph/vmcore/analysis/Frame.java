// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

/**
 * A step of a backtrace.
 *
 * @param address of the instruction, or where it returns to
 * @param function "?" where no symbol is known
 * @param offset of the address in the function
 * @param module empty for the kernel itself
 */
public record Frame(long address, long stackPointer, String function, long offset, String module) {
    @Override
    public String toString() {
        String name =
                function.equals("?") ? "0x" + Long.toHexString(address) : function + "+0x" + Long.toHexString(offset);
        return module.isEmpty() ? name : name + " [" + module + "]";
    }
}
