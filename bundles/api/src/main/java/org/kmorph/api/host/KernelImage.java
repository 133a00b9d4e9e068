// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.host;

/**
 * What a kernel image says of itself.
 *
 * @param release the kernel release in the image, as {@code uname -r} would print it: {@code 6.1.0-18-cloud-amd64}
 */
public record KernelImage(String release) {}
