// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.instance.Instances;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code ping NAME}: as people know it from ping(8), with heartbeats. */
@Component
public final class PingCommand implements Command {
    private static final Duration DEADLINE = Duration.ofSeconds(2);

    private static final CommandSpec SPEC = CommandSpec.named("ping")
            .summary("send heartbeats by hand and time their answers")
            .reads(Role.VIEWER)
            .parameter(Names.NAME, ValueType.TEXT, "the instance")
            .option("count", ValueType.INTEGER, "N", "how many, 1 to 100000", "4")
            .option("interval", ValueType.DURATION, "TIME", "from one to the next, at least 1ms", "1s")
            .example("ping web --count=3", "three heartbeats, then least, mean and p99")
            .build();

    private final Instances instances;
    private final HealthMonitor health;

    @Activate
    public PingCommand(@Reference Instances instances, @Reference HealthMonitor health) {
        this.instances = instances;
        this.health = health;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, InterruptedException {
        String name = Names.find(instances, context.text(Names.NAME)).name();
        long count = bounded(context.integer("count").orElseThrow(), 1, 100_000, "--count");
        Duration interval = context.duration("interval").orElseThrow();
        bounded(interval.toMillis(), 1, 3_600_000, "--interval in milliseconds");
        List<Double> times = new ArrayList<>();
        long sent = 0;
        try {
            while (sent < count) {
                if (sent > 0) {
                    TimeUnit.NANOSECONDS.sleep(interval.toNanos());
                }
                sent++;
                Optional<Duration> answer = health.ping(name, DEADLINE);
                answer.ifPresent(time -> times.add(time.toNanos() / 1e6));
                context.out().println(line(name, sent, answer));
            }
        } finally {
            context.out().print(summary(name, sent, times));
        }
        return times.isEmpty() ? ExitCode.TIMED_OUT : ExitCode.DONE;
    }

    private static long bounded(long value, long least, long most, String what) throws CommandException {
        if (value < least || value > most) {
            throw new CommandException(ExitCode.USAGE, what + " is " + value + "; expected " + least + " to " + most);
        }
        return value;
    }

    private static String line(String name, long number, Optional<Duration> answer) {
        return answer.map(time -> String.format(
                        Locale.ROOT, "heartbeat from %s: seq=%d time=%.3f ms", name, number, time.toNanos() / 1e6))
                .orElseGet(() -> "no answer from " + name + ": seq=" + number);
    }

    private static String summary(String name, long sent, List<Double> times) {
        String first = String.format(
                Locale.ROOT,
                "--- %s: %d sent, %d answered, %.0f%% lost%n",
                name,
                sent,
                times.size(),
                sent == 0 ? 0 : 100.0 * (sent - times.size()) / sent);
        if (times.isEmpty()) {
            return first;
        }
        Collections.sort(times);
        double mean = times.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
        double p99 = times.get((int) Math.ceil(times.size() * 0.99) - 1);
        return first + String.format(Locale.ROOT, "rtt min/mean/p99 = %.3f/%.3f/%.3f ms%n", times.get(0), mean, p99);
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals(Names.NAME) ? Names.beginning(instances, prefix) : List.of();
    }
}
