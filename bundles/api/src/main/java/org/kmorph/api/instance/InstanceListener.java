// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.instance;

/**
 * Is told of every change of an instance, in order, after the change is in the journal. Register it as a service: it is first
 * told of all there are. Must return soon; what takes long is its own thread's to do.
 */
public interface InstanceListener {
    /** The instance is new, or changed. */
    void changed(Instance instance);

    /** The instance is no more. */
    void gone(Instance last);

    /** Its host has seen the kernel end, or panic, without being asked. May be told more than once. */
    void ended(Instance instance, String how);
}
