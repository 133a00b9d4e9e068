// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.security.AccessControlContext;
import java.security.AccessControlException;
import java.security.AccessController;
import java.security.Permissions;
import java.security.PrivilegedAction;
import java.security.ProtectionDomain;
import java.util.PropertyPermission;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import org.junit.jupiter.api.Test;

/** What a thread holds of who made it would outlive that: a class loader of a bundle that was replaced, above all. */
class DaemonThreadsTest {
    private static final ThreadFactory THREADS = new DaemonThreads("test");

    @Test
    void keepTheNameAndLetTheDaemonEnd() {
        Thread made = THREADS.newThread(() -> {});
        assertThat(made.getName()).isEqualTo("test");
        assertThat(made.isDaemon()).isTrue();
    }

    @Test
    void holdNoClassLoaderOfWhoMadeThem() throws Exception {
        try (URLClassLoader bundle = new URLClassLoader(new URL[0])) {
            Thread caller = Thread.currentThread();
            ClassLoader before = caller.getContextClassLoader();
            caller.setContextClassLoader(bundle);
            try {
                assertThat(result(THREADS, () -> Thread.currentThread().getContextClassLoader()))
                        .isSameAs(ClassLoader.getSystemClassLoader());
            } finally {
                caller.setContextClassLoader(before);
            }
        }
    }

    /** A domain without rights is seen by what it keeps all that was called by it from, threads that inherit it included. */
    @Test
    void holdNoProtectionDomainOfWhoMadeThem() throws Exception {
        assertThat(result(task -> madeBelowOneWithoutRights(Thread::new, task), DaemonThreadsTest::mayDoWhatAllMay))
                .as("an ordinary thread")
                .isFalse();
        assertThat(result(task -> madeBelowOneWithoutRights(THREADS, task), DaemonThreadsTest::mayDoWhatAllMay))
                .isTrue();
    }

    @SuppressWarnings("removal")
    private static Thread madeBelowOneWithoutRights(ThreadFactory threads, Runnable task) {
        ProtectionDomain domain = new ProtectionDomain(null, new Permissions());
        return AccessController.doPrivileged(
                (PrivilegedAction<Thread>) () -> threads.newThread(task),
                new AccessControlContext(new ProtectionDomain[] {domain}));
    }

    @SuppressWarnings("removal")
    private static boolean mayDoWhatAllMay() {
        try {
            AccessController.checkPermission(new PropertyPermission("java.version", "read"));
            return true;
        } catch (AccessControlException e) {
            return false;
        }
    }

    private static <T> T result(ThreadFactory threads, Callable<T> task) throws Exception {
        FutureTask<T> future = new FutureTask<>(task);
        threads.newThread(future).start();
        return future.get();
    }
}
