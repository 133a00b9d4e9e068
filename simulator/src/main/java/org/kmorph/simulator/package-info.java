// SPDX-License-Identifier: Apache-2.0
/** The control plane in a simulated world: docs/simulator.md. */
package org.kmorph.simulator;
