// SPDX-License-Identifier: Apache-2.0
/**
 * Watching instances. {@link org.kmorph.health.Detector} is the pure core: what was heard, and when, goes in; heartbeats to send,
 * probes to make and judgements come out. The built-in policies judge silence; the core adds what no policy may decide for itself:
 * whether the kernel still answers, whether the monitor itself was late, and whether so many are silent at once that the fault is
 * more likely here.
 */
package org.kmorph.health;
