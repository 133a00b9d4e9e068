// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.expression;

/** An expression is none, or does not fit the kernel's types; the message says what would. */
public final class BadExpressionException extends Exception {
    private static final long serialVersionUID = 1L;

    public BadExpressionException(String message) {
        super(message);
    }
}
