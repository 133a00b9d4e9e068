// SPDX-License-Identifier: Apache-2.0
/**
 * The registry of instances. {@link org.kmorph.instances.Lifecycle} says which moves are legal and what a restart makes of each
 * state; {@link org.kmorph.instances.Registry} carries the moves out, each one in the journal before it is taken.
 */
package org.kmorph.instances;
