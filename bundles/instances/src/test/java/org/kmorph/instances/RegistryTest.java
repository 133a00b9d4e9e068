// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.time.TimeSource;

/** A registry that is closed while a call is under way. Its clock goes on only where somebody sleeps. */
@Timeout(60)
class RegistryTest {
    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    private final Machine machine = new Machine();
    private final AtomicLong nanos = new AtomicLong();
    private final ExecutorService caller = Executors.newSingleThreadExecutor();
    private final CountDownLatch boots = new CountDownLatch(1);
    private final CountDownLatch booted = new CountDownLatch(1);

    /** When the boot was cut off, by the clock; 0 when it was not. */
    private final AtomicLong cutNanos = new AtomicLong();

    @TempDir
    Path directory;

    private Registry registry;

    private final TimeSource time = new TimeSource() {
        @Override
        public long nanos() {
            return nanos.get();
        }

        @Override
        public Instant now() {
            return Instant.EPOCH;
        }

        @Override
        public void sleep(Duration asked) throws InterruptedException {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            LockSupport.parkNanos(1);
            if (nanos.get() >= bootedNanos) {
                booted.countDown();
            } else {
                nanos.addAndGet(asked.toNanos());
            }
        }
    };

    /** When the kernel has booted, by the clock, which then stands still: what comes after takes no time. */
    private volatile long bootedNanos = Long.MAX_VALUE;

    @BeforeEach
    void open() throws Exception {
        machine.booting = () -> {
            boots.countDown();
            try {
                booted.await();
            } catch (InterruptedException e) {
                cutNanos.set(nanos.get());
                throw e;
            }
        };
        registry = new Registry(new RegistrySurroundings(
                new DiskDirectories(directory),
                3,
                machine::journal,
                () -> {
                    throw new AssertionError("nobody's workload is asked to stop");
                },
                List::of,
                time,
                () -> 7L,
                Executors.newCachedThreadPool(),
                Executors.newSingleThreadExecutor()));
        registry.addTransport(Machine.transport());
        registry.addHost(machine.host());
        registry.takeOver();
    }

    @AfterEach
    void end() {
        booted.countDown();
        caller.shutdownNow();
    }

    private Future<Instance> spawning() throws InterruptedException {
        Future<Instance> call = caller.submit(() -> registry.spawn(spec(), TIMEOUT));
        boots.await();
        return call;
    }

    private static InstanceSpec spec() {
        return InstanceSpec.watched("web", "local", Path.of("/boot/vmlinuz"), List.of());
    }

    private static void assertNotNow(Throwable failure, String why) {
        assertThat(failure).isInstanceOfSatisfying(InstanceException.class, refused -> assertThat(refused.reason())
                .isEqualTo(Reason.NOT_NOW));
        assertThat(failure).hasMessageContaining(why);
    }

    @Test
    void aCallThatDoesNotEndInTimeIsCutOffAndActsNoMore() throws Exception {
        Future<Instance> call = spawning();
        long begun = nanos.get();
        registry.close();
        int steps = machine.stepsTaken();
        assertThat(Duration.ofNanos(cutNanos.get() - begun))
                .isBetween(Registry.PATIENCE, Registry.PATIENCE.plusSeconds(1));
        assertThatThrownBy(call::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .satisfies(failure -> assertNotNow(failure, "the instances bundle was replaced meanwhile"));
        // what it had made is gone, and nothing comes after
        assertThat(machine.present()).isEmpty();
        assertThat(machine.running()).isEmpty();
        assertThat(registry.list()).isEmpty();
        try (var files = Files.list(directory)) {
            assertThat(files).isEmpty();
        }
        assertThat(machine.stepsTaken()).isEqualTo(steps);
        assertThat(caller.submit(Thread::interrupted).get())
                .as("whether the caller is interrupted beyond its call")
                .isFalse();
    }

    @Test
    void aCallThatEndsInTimeIsNotCutOff() throws Exception {
        Future<Instance> call = spawning();
        bootedNanos = nanos.get() + Registry.PATIENCE.dividedBy(2).toNanos();
        registry.close();
        assertThat(call.get().state()).isEqualTo(InstanceState.RUNNING);
        assertThat(cutNanos).hasValue(0);
        assertThat(machine.running()).hasSize(1);
    }

    @Test
    void whoeverIsInterruptedWhileItClosesWaitsAllTheSame() throws Exception {
        Future<Instance> call = spawning();
        Thread.currentThread().interrupt();
        registry.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(call).isDone();
        assertThat(Duration.ofNanos(cutNanos.get())).isGreaterThanOrEqualTo(Registry.PATIENCE);
    }

    @Test
    void nothingBeginsOnceItIsClosed() {
        registry.close();
        assertThatThrownBy(() -> registry.spawn(spec(), TIMEOUT))
                .satisfies(failure -> assertNotNow(failure, "the instances bundle is being replaced"));
        assertThat(machine.stepsTaken()).isZero();
    }
}
