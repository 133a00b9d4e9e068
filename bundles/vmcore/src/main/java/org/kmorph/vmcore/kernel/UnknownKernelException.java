// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import java.io.IOException;

/** What is needed of a kernel is not in its memory, or is not as any kernel that we know has it. */
public final class UnknownKernelException extends IOException {
    private static final long serialVersionUID = 1L;

    public UnknownKernelException(String message) {
        super(message);
    }
}
