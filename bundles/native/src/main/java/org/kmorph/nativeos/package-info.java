// SPDX-License-Identifier: Apache-2.0
/**
 * What the JDK cannot ask of the operating system. Services whose signatures know only JDK types; behind them, in one bundle
 * that is never replaced in a running daemon, stand all the mappings of the C library: a bundle that holds a mapping keeps its
 * class loader alive for ever, and this one may.
 *
 * <p>Nothing native is loaded before the first call of a service. Linux on 64 bits (LP64), glibc or musl.
 *
 * <p>To add a call: the function goes into {@code internal.LibC} (or a mapping class of its own where some systems lack it), the
 * service interface and its records here, the component into {@code internal}. The interface speaks of the thing
 * ({@link UnixDatagrams}), not of the function; a failure is an {@link ErrnoException} that names call, subject and error.
 */
@Version("1.1.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.nativeos;

import org.osgi.annotation.versioning.Version;
