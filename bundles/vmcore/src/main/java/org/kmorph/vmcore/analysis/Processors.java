// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.vmcore.kernel.DeadKernel;

/** What was on the processors. */
public final class Processors {
    private Processors() {}

    /** The id of the task on each processor, in their order. @throws IOException when they cannot be found */
    public static List<Integer> tasks(DeadKernel kernel) throws IOException {
        Tasks tasks = new Tasks(kernel);
        List<Integer> found = new ArrayList<>();
        for (int cpu = 0; cpu < kernel.processors(); cpu++) {
            found.add(tasks.current(cpu).pid());
        }
        return found;
    }
}
