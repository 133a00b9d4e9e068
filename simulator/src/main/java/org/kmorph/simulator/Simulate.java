// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.Locale;

/** {@code ./kmorph simulate}: one world with its trace, or many. */
public final class Simulate {
    private static final String USAGE = "usage: simulate --seed N [--trace]   one world; with its trace\n"
            + "       simulate --seeds COUNT [--from N] [--threads N]   that many, from seed N on";

    private Simulate() {}

    /** @param arguments as {@link #USAGE} says */
    public static void main(String[] arguments) throws InterruptedException {
        Arguments parsed;
        try {
            parsed = Arguments.of(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println("simulate: " + e.getMessage() + "\n" + USAGE);
            System.exit(2);
            return;
        }
        System.exit(parsed.count() == 1 ? one(parsed) : many(parsed));
    }

    private static int one(Arguments parsed) {
        StringBuilder lines = new StringBuilder();
        World world = new World(
                parsed.from(), Wiring.plain(), true, line -> lines.append(line).append('\n'));
        World.Result result = world.run();
        if (parsed.trace() || result.failure().isPresent()) {
            System.out.print(lines);
        }
        result.failure().ifPresent(Throwable::printStackTrace);
        System.out.printf(
                Locale.ROOT,
                "seed %d: %s; %.1f s simulated, %d events, fingerprint %08x%n",
                result.seed(),
                result.failure().map(Throwable::getMessage).orElse("held"),
                result.nanos() / 1e9,
                result.events(),
                result.fingerprint());
        return result.failure().isPresent() ? 1 : 0;
    }

    private static int many(Arguments parsed) throws InterruptedException {
        Campaign campaign = new Campaign(Wiring::plain, parsed.from(), parsed.count(), parsed.threads());
        Campaign.Outcome outcome = campaign.run();
        System.out.println(outcome.summary());
        outcome.failures()
                .forEach(result -> System.out.printf(
                        "seed %d: %s%n",
                        result.seed(), result.failure().orElseThrow().getMessage()));
        outcome.failures().stream()
                .findFirst()
                .ifPresent(
                        result -> System.out.printf("its trace: ./kmorph simulate --seed %d --trace%n", result.seed()));
        return outcome.failures().isEmpty() ? 0 : 1;
    }

    /** What was asked for. */
    private record Arguments(long from, int count, int threads, boolean trace) {
        static Arguments of(String[] given) {
            long from = 1;
            int count = 0;
            int threads = Runtime.getRuntime().availableProcessors();
            boolean trace = false;
            for (int at = 0; at < given.length; at++) {
                String one = given[at];
                int equals = one.indexOf('=');
                String name = equals < 0 ? one : one.substring(0, equals);
                String value = "";
                if (equals >= 0) {
                    value = one.substring(equals + 1);
                } else if (!name.equals("--trace") && at + 1 < given.length) {
                    value = given[++at];
                }
                switch (name) {
                    case "--seed" -> {
                        from = number(one, value);
                        count = 1;
                    }
                    case "--seeds" -> count = (int) number(one, value);
                    case "--from" -> from = number(one, value);
                    case "--threads" -> threads = (int) number(one, value);
                    case "--trace" -> trace = true;
                    default -> throw new IllegalArgumentException("\"" + one + "\" is unknown");
                }
            }
            if (count < 1 || threads < 1) {
                throw new IllegalArgumentException("how many seeds, or which, is to be said");
            }
            return new Arguments(from, count, threads, trace);
        }

        private static long number(String argument, String value) {
            try {
                return Long.parseLong(value);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(argument + ": a whole number is expected", e);
            }
        }
    }
}
