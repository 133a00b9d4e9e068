// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Progress;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.vmcore.VmcoreException;
import org.kmorph.vmcore.capture.CaptureFile;
import org.kmorph.vmcore.capture.CaptureOptions;
import org.kmorph.vmcore.capture.Capturer;
import org.kmorph.vmcore.capture.Compression;
import org.kmorph.vmcore.service.By;
import org.kmorph.vmcore.service.VmcoreService;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code vmcore capture NAME}. */
@Component
public final class CaptureCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("vmcore", "capture")
            .summary("save the memory of an instance's kernel to a file")
            .description(
                    "The file is called PATH.incomplete until it is whole; PATH.sha256 has its digest, unless --digest=none: SHA-256 goes through a"
                            + " file from its start to its end, so that a large one that is not packed takes two to three times as long"
                            + " with it. A running kernel's memory changes"
                            + " while it is read: what is saved of one is no state that it ever had, and a warning says so.\n\n"
                            + "A FIFO, or - for standard output, gets makedumpfile's flattened format, which makedumpfile -R, crash and"
                            + " vmcore analyze read.\n\n"
                            + "The level is a sum of what is left out: 1 pages of zeros, 2 cache, 4 cache with private data, 8 user data,"
                            + " 16 free pages. An elf file is not packed; what is left out of it is left out in runs.\n\n"
                            + "With --by=survivors the memory is read by other instances, each a part, over KMP, and gathered beside the"
                            + " dead one's until it is written: instances of host local can do that.")
            .changes(Role.ADMIN)
            .slow()
            .parameter("NAME", ValueType.TEXT, "the instance")
            .requiredOption("output", ValueType.TEXT, "PATH", "where to; - for standard output")
            .choice("format", "of the file", "kdump", "kdump", "elf")
            .choice("compress", "how pages are packed", "zstd", "zstd", "lzo", "zlib", "none")
            .choice("digest", "of a file, beside it", "sha256", "sha256", "none")
            .choice("by", "who reads the memory", "daemon", "daemon", "survivors")
            .option("level", ValueType.INTEGER, "0..31", "what is left out", "31")
            .example("vmcore capture web --output=/var/tmp/web.kdump", "as small as it gets")
            .example("vmcore capture web --output=web.elf --format=elf --level=0", "all of it, for gdb")
            .build();

    private final Instances instances;
    private final VmcoreService service;

    @Activate
    public CaptureCommand(@Reference Instances instances, @Reference VmcoreService service) {
        this.instances = instances;
        this.service = service;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, IOException, InterruptedException {
        long level = context.integer("level").orElse(31L);
        if (level < 0 || level > 31) {
            throw new CommandException(ExitCode.USAGE, "--level is " + level + "; it goes from 0 to 31");
        }
        String name = context.text("NAME");
        Instance instance = instances
                .find(name)
                .orElseThrow(() -> new CommandException(
                        ExitCode.NO_SUCH_INSTANCE, "no instance \"" + name + "\"; `list` shows those there are"));
        CaptureOptions usual = CaptureOptions.usual();
        CaptureOptions options = new CaptureOptions(
                CaptureOptions.Format.valueOf(context.text("format").toUpperCase(Locale.ROOT)),
                Compression.valueOf(context.text("compress").toUpperCase(Locale.ROOT)),
                (int) level,
                usual.threads(),
                context.text("digest").equals("sha256"));
        Capturer capturer;
        try {
            capturer = service.capturer(instance, options, By.of(context.text("by")));
        } catch (VmcoreException e) {
            throw new CommandException(ExitCode.FAILED, e.getMessage(), e);
        }
        if (instance.state() == InstanceState.RUNNING) {
            context.err()
                    .println(
                            "warning: " + name
                                    + " is running: its memory is a moving target, and what is saved no state that it ever had");
        }
        return capture(context, capturer);
    }

    private static ExitCode capture(CommandContext context, Capturer capturer)
            throws CommandException, IOException, InterruptedException {
        String output = context.text("output");
        Path path = context.workingDirectory().resolve(output).normalize();
        boolean stream = output.equals("-");
        boolean fifo = !stream
                && Files.exists(path, LinkOption.NOFOLLOW_LINKS)
                && !Files.isRegularFile(path)
                && !Files.isDirectory(path);
        List<String> notes;
        try (Progress progress = context.progress("capturing")) {
            if (stream) {
                notes = CaptureFile.stream(context.out(), capturer, (done, total) -> progress.update(done, total, "B"));
                if (context.out().checkError()) {
                    throw new CommandException(
                            ExitCode.FAILED,
                            "standard output was closed: what was written of the capture is of no use");
                }
            } else if (fifo) {
                notes = CaptureFile.fifo(path, capturer, (done, total) -> progress.update(done, total, "B"));
            } else {
                CaptureFile.Result result =
                        CaptureFile.write(path, capturer, (done, total) -> progress.update(done, total, "B"));
                notes = result.notes();
                context.err()
                        .println(path + ": " + result.bytes() + " bytes"
                                + (result.sha256().isEmpty() ? ", no digest" : ", sha256 " + result.sha256()));
            }
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, "the capture failed: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            context.err()
                    .println("cancelled"
                            + (stream || fifo
                                    ? ": what was written is of no use"
                                    : ": what was written is in " + CaptureFile.incomplete(path)
                                            + ", of no use but to look at"));
            throw e;
        }
        notes.forEach(note -> context.err().println("note: " + note));
        return ExitCode.DONE;
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals("NAME")
                ? instances.list().stream()
                        .map(Instance::name)
                        .filter(name -> name.startsWith(prefix))
                        .sorted()
                        .toList()
                : List.of();
    }
}
