// SPDX-License-Identifier: Apache-2.0
package org.kmorph.bench;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/**
 * {@code ./kmorph bench kmp}: a heartbeat and its answer written, and read, by KMP, SBE and protobuf-java, each with a CRC-32.
 * Prints a table; takes about a minute and a half.
 */
public final class Kmp {
    private static final List<Class<?>> CODECS = List.of(KmpHeartbeat.class, SbeHeartbeat.class, ProtoHeartbeat.class);

    private Kmp() {}

    public static void main(String[] arguments) throws RunnerException {
        Map<String, RunResult> results = new TreeMap<>();
        for (RunResult result : run()) {
            results.put(result.getParams().getBenchmark(), result);
        }
        System.out.println(
                "A heartbeat and its answer with CRC-32, one thread: nanoseconds (median of the iterations,");
        System.out.println("least and most), times KMP, bytes allocated.");
        System.out.println();
        System.out.printf("%-8s%-16s%10s%10s%10s%10s%10s%n", "", "codec", "median", "least", "most", "x KMP", "bytes");
        for (String work : List.of("encode", "decode")) {
            double kmp = statistics(results, KmpHeartbeat.class, work).getPercentile(50);
            for (Class<?> codec : CODECS) {
                print(results, codec, work, kmp);
            }
        }
    }

    private static Collection<RunResult> run() throws RunnerException {
        Options options = new OptionsBuilder()
                .include(".*\\.(Kmp|Sbe|Proto)Heartbeat\\..*")
                .mode(Mode.AverageTime)
                .timeUnit(TimeUnit.NANOSECONDS)
                .forks(2)
                .warmupIterations(3)
                .warmupTime(TimeValue.seconds(1))
                .measurementIterations(5)
                .measurementTime(TimeValue.seconds(1))
                // Agrona's buffers need the export
                .jvmArgs(
                        "-Xms128m",
                        "-Xmx128m",
                        "-XX:+UseSerialGC",
                        "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED")
                .addProfiler(GCProfiler.class)
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true)
                .build();
        return new Runner(options).run();
    }

    private static void print(Map<String, RunResult> results, Class<?> codec, String work, double kmp) {
        Statistics nanos = statistics(results, codec, work);
        Result<?> bytes = result(results, codec, work).getSecondaryResults().get("gc.alloc.rate.norm");
        System.out.printf(
                Locale.ROOT,
                "%-8s%-16s%10.1f%10.1f%10.1f%10.2f%10.0f%n",
                work,
                codec.getSimpleName().replace("Heartbeat", ""),
                nanos.getPercentile(50),
                nanos.getMin(),
                nanos.getMax(),
                nanos.getPercentile(50) / kmp,
                bytes.getScore());
    }

    private static Statistics statistics(Map<String, RunResult> results, Class<?> codec, String work) {
        return result(results, codec, work).getPrimaryResult().getStatistics();
    }

    private static RunResult result(Map<String, RunResult> results, Class<?> codec, String work) {
        return results.get(codec.getName() + "." + work);
    }
}
