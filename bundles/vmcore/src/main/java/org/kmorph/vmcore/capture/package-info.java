// SPDX-License-Identifier: Apache-2.0
/** Memory written to files. */
package org.kmorph.vmcore.capture;
