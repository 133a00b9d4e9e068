// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.service;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.vmcore.analysis.Analysis;
import org.kmorph.vmcore.analysis.Analyzer;
import org.kmorph.vmcore.analysis.Verdict;
import org.kmorph.vmcore.file.DumpFile;
import org.kmorph.vmcore.kernel.Vmcoreinfo;

/**
 * A file that was read and understood as far as it goes.
 *
 * @param format of the file
 * @param damage what is wrong with the file itself
 */
public record Reading(String format, List<String> damage, Analysis analysis, Verdict verdict) {
    /** @throws IOException when it is no dump, or of no kernel */
    public static Reading of(Path path) throws IOException {
        try (DumpFile file = DumpFile.open(path)) {
            Analysis analysis = new Analyzer(file, info(file), file.registers()).run();
            return new Reading(file.format(), new ArrayList<>(file.damage()), analysis, Verdict.of(analysis));
        }
    }

    /** What the kernel left about itself: the file's note, or else found in its memory. */
    public static Vmcoreinfo info(DumpFile file) throws IOException {
        Optional<Vmcoreinfo> info = file.info();
        if (info.isEmpty()) {
            info = Vmcoreinfo.scan(file);
        }
        return info.orElseThrow(
                () -> new IOException("the file has no VMCOREINFO, neither as a note nor in the memory it holds: "
                        + "it is of no Linux kernel, of one that did not get far, or it is damaged"));
    }
}
