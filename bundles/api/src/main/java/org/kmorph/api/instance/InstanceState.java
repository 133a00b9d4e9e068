// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.instance;

/**
 * Where an instance is in its life. How well it is, is another question: {@link org.kmorph.api.health.Health}. The legal moves
 * are the state machine of the instances bundle.
 */
public enum InstanceState {
    /** Recorded; its host is making the kernel. */
    STARTING,
    /** The host has started the kernel. */
    RUNNING,
    /** Being ended: the host makes sure that the kernel runs no more. */
    FENCING,
    /** Provably not running; its memory and resources are still held. */
    FENCED,
    /** Its resources are being given back. Afterwards there is no instance, only history. */
    RELEASING,
    /** Something could not be done that must be; nothing of it is reused until a person has looked. */
    HELD
}
