// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

/** Codes of KMP_ERROR and KMP_RETRY. They may grow, so they stay numbers. */
public final class ErrorCode {
    public static final int UNSUPPORTED_VERSION = 1;

    public static final int UNSUPPORTED_TYPE = 2;

    public static final int TOO_LARGE = 3;

    public static final int MALFORMED = 4;

    public static final int UNKNOWN_OPERATION = 5;

    public static final int WRONG_STATE = 6;

    public static final int BUSY = 7;

    public static final int NOT_SUPPORTED = 8;

    public static final int NO_SPACE = 9;

    public static final int DENIED = 10;

    public static final int IO = 11;

    public static final int DIGEST_MISMATCH = 12;

    public static final int EXPIRED = 13;

    public static final int NO_WORKLOAD = 14;

    public static final int INTERNAL = 15;

    private ErrorCode() {}
}
