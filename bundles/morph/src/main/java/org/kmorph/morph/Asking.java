// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmpclient.KmpException;
import org.kmorph.kmpclient.KmpSession;

/** Asks an agent and waits for its answer. */
record Asking(KmpSession session, TimeSource time) {
    <A extends Message> A ask(Message request, Class<A> answer, Duration patience)
            throws IOException, InterruptedException {
        try {
            return time.await(session.request(request, answer, patience), patience.multipliedBy(2));
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KmpException cause ? cause : new IOException(e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("no answer to " + request.type(), e);
        }
    }
}
