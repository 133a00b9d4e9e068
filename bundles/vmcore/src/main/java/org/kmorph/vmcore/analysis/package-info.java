// SPDX-License-Identifier: Apache-2.0
/** What a dead kernel was doing. */
package org.kmorph.vmcore.analysis;
