// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

/** Why a stream of frames cannot be read any further. */
public enum FrameFault {
    /** These are no frames of KMP: close at once. */
    WRONG_MAGIC,
    /** Bytes were changed on the way: close at once. */
    WRONG_CRC,
    /** Answer with {@link Replies#unsupportedVersion}, then close. */
    UNSUPPORTED_VERSION,
    /** Answer with {@link Replies#tooLarge}, then close. */
    TOO_LARGE
}
