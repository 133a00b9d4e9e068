// SPDX-License-Identifier: Apache-2.0
/** What runs on a JVM inside a guest; it has no test framework there. */
package org.kmorph.it.kernels.guest;
