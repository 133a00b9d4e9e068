// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.kmp.message.Message;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The daemon's side of what is said to one agent. It outlives its connections: one that is lost is made again when something is to be
 * sent. Thread-safe; nothing here blocks.
 *
 * <p>Futures complete on the transport's event loop or on the client's timer thread: what depends on them must not block, or go on
 * elsewhere ({@code thenAcceptAsync}). They fail with a {@link KmpException}.
 */
@ProviderType
public interface KmpSession extends AutoCloseable {
    /** The most requests that wait for their answers at once; a further one fails. docs/kmp.md, Limits. */
    int MAX_REQUESTS = 256;

    /** Where the agent listens. */
    Endpoint peer();

    /** Whether there is a connection at this moment. */
    boolean connected();

    /**
     * Sends a request, and sends it again as docs/kmp.md says, under Retries: when the agent asks for patience by KMP_RETRY, when the
     * connection is lost, and when no answer has come within the time that the protocol gives it. For requests that do no harm when
     * they come twice, as all of KMP are.
     *
     * @param answer the class of the answer, as docs/kmp.md names it for the request
     * @param deadline for all repetitions together
     * @return the answer. Fails with {@link KmpException}: with the agent's own word when it answered KMP_ERROR
     */
    <A extends Message> CompletableFuture<A> request(Message request, Class<A> answer, Duration deadline);

    /**
     * Sends a request once. What a KMP_RETRY, a lost connection or silence means is the caller's to decide. Requests are sent in the
     * order of these calls. For chunks, whose order matters, and for pings.
     *
     * @param deadline for the answer; a late answer is ignored, and the connection stays
     */
    <A extends Message> CompletableFuture<A> requestOnce(Message request, Class<A> answer, Duration deadline);

    /**
     * Sends a heartbeat, or begins to connect and sends it once that is done. Allocates nothing while the connection stands. It has no
     * deadline here: who sends them judges silence.
     *
     * @param wants bits of {@link org.kmorph.kmp.message.Want}
     * @return whether it was sent, or will be when the connection is made; false when the agent does not read what it is sent, or the
     *     session is closed
     */
    boolean heartbeat(int wants);

    /** Gives the connection up, if there is one; the next heartbeat or request makes another. Requests are treated as at any loss. */
    void reset(String why);

    /** Closes the connection and fails what waits. Nothing more comes to the listener after it was told of the loss. Idempotent. */
    @Override
    void close();
}
