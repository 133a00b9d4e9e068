// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.util.List;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.Item;

/** Who has the state of a workload that nobody runs. */
interface Keeper {
    /** What there is, as items of an offer. */
    List<Item> describe() throws IOException, InterruptedException;

    /** By what the state is digested for a target that answered the offer so. */
    DigestAlgorithm digest(List<Item> offered);

    /** Gives all of it to the target, as one final round. */
    void give(Asking target) throws IOException, InterruptedException;
}
