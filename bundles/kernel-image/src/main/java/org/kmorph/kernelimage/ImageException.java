// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

/** A file is no kernel image, or not one that can be used; the message names it and what was expected. */
public final class ImageException extends Exception {
    private static final long serialVersionUID = 1L;

    public ImageException(String message) {
        super(message);
    }
}
