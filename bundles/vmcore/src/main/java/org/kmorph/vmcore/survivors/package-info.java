// SPDX-License-Identifier: Apache-2.0
/** Memory of the dead, read by those who survive them: docs/kmp.md, Capture. */
package org.kmorph.vmcore.survivors;
