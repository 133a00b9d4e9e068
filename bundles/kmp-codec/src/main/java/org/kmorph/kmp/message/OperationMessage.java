// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.UUID;

/** A message of a recovery, a capture or a morph. All of them are idempotent by operation. */
public sealed interface OperationMessage extends Message
        permits RecoverPrepare,
                RecoverReclaim,
                RecoverComplete,
                VmcoreStart,
                VmcoreData,
                VmcoreComplete,
                MorphPrepare,
                MorphNegotiate,
                MorphTransfer,
                MorphValidate,
                MorphCommit,
                MorphRollback,
                OperationAnswer,
                Acknowledgement,
                CommitAnswer {
    /** Which one: 128 random bits. */
    UUID operation();
}
