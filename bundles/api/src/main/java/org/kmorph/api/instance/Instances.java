// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.instance;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The registry and the life of instances. Every step is in the journal before it is taken, so that a killed daemon's successor
 * either adopts an instance or removes all of it. Thread-safe.
 */
@ProviderType
public interface Instances {
    /**
     * Waits until what a former daemon has left is read: before that nothing is found, and who acts on that takes for ended what is there.
     *
     * @throws InstanceException when it was not read in that time
     */
    void awaitRead(Duration patience) throws InstanceException, InterruptedException;

    /** All there are, by id. */
    List<Instance> list();

    /** The one of this name, if there is one. */
    Optional<Instance> find(String name);

    /**
     * Makes an instance and waits until its agent listens.
     *
     * @throws InstanceException when it cannot be made; nothing of it is left
     * @throws InterruptedException when cancelled; nothing of it is left
     */
    Instance spawn(InstanceSpec spec, Duration timeout) throws InstanceException, InterruptedException;

    /**
     * Ends an instance and gives back all it had.
     *
     * @param force whether to skip asking its workload to stop first
     * @throws InstanceException when there is none, or it could not be ended within the time; it is then {@code HELD}
     */
    void terminate(String name, boolean force, Duration timeout) throws InstanceException, InterruptedException;

    /** Makes sure that its kernel runs no more, and keeps the rest. Returns once that is confirmed. */
    Instance fence(String name, String why, Duration timeout) throws InstanceException, InterruptedException;

    /** Gives back all that a fenced instance had. */
    void release(String name) throws InstanceException, InterruptedException;

    /**
     * Gives an instance's name to its successor, in one step of the journal: afterwards the successor is called {@code name} and watched as
     * that one was, and the former bearer is called {@code aside} and not watched. Both must be RUNNING or HELD, the former bearer may be FENCED.
     * Neither kernel is touched.
     * Done again, it changes nothing.
     *
     * @param successor what the successor is called now
     * @param aside a name that no instance has
     * @return the successor under its new name
     */
    Instance succeed(String name, String successor, String aside) throws InstanceException, InterruptedException;

    /**
     * Gives a standby, which is RUNNING, the name of an instance that is gone, in one step of the journal. Its kernel is not touched. Done
     * again, it changes nothing.
     *
     * @param standby what it is called now; it was spawned as {@linkplain InstanceSpec#successorOf the successor} of another
     * @param name a name that no instance has
     * @return it under its new name
     */
    Instance promote(String standby, String name) throws InstanceException, InterruptedException;
}
