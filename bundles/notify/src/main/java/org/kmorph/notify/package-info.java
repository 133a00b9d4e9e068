// SPDX-License-Identifier: Apache-2.0
/** Tells hook programs and a web service what happens to instances. */
package org.kmorph.notify;
