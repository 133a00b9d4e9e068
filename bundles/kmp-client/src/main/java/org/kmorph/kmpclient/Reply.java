// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import org.kmorph.kmp.message.Message;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Answers one request of an agent. Used once; a second use does nothing. When the connection is gone meanwhile the answer is dropped:
 * the agent repeats its request. Thread-safe.
 */
@ProviderType
public interface Reply {
    /** @throws IllegalArgumentException when the message is no answer to the request */
    void answer(Message answer);

    /** KMP_ERROR. @param code and value see docs/kmp.md, Errors */
    void error(int code, long value, String text);

    /** KMP_RETRY. */
    void retry(int code, long delayMillis, String text);
}
