// SPDX-License-Identifier: Apache-2.0
/** Automatic captures. */
package org.kmorph.vmcore.service;
