// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.util.concurrent.TimeUnit;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.MorphValidate;
import org.kmorph.kmp.message.ValidateScope;

/** How long to wait for an answer before the connection is given up: docs/kmp.md, Conduct. */
final class AnswerTimes {
    private static final long MOST = TimeUnit.SECONDS.toNanos(10);
    private static final long COMMIT = TimeUnit.SECONDS.toNanos(2);
    private static final long REHEARSAL = TimeUnit.SECONDS.toNanos(60);
    private static final long BEYOND_GRACE = TimeUnit.SECONDS.toNanos(5);

    private AnswerTimes() {}

    static long nanos(Message request) {
        if (request instanceof MorphCommit commit) {
            return commit.phase() == CommitPhase.RETIRE
                    ? TimeUnit.MICROSECONDS.toNanos(commit.timeMicros()) + BEYOND_GRACE
                    : COMMIT;
        }
        if (request instanceof MorphValidate validate) {
            return validate.scope() == ValidateScope.FINAL ? COMMIT : REHEARSAL;
        }
        return MOST;
    }
}
