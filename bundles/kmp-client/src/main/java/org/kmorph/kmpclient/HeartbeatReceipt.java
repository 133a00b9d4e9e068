// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.util.List;
import org.kmorph.kmp.HeartbeatAnswerFlyweight;
import org.kmorph.kmp.item.Item;
import org.osgi.annotation.versioning.ProviderType;

/** An answered heartbeat, of use during the call that brings it only: it lies over the transport's buffer. */
@ProviderType
public interface HeartbeatReceipt {
    /** When the heartbeat was handed to the transport, by {@link org.kmorph.api.time.TimeSource#nanos}. */
    long sentNanos();

    /** When its answer came, by the same clock. */
    long receivedNanos();

    /** The fixed figures. Agent state and workload state are known ones; the instance id is the expected one. */
    HeartbeatAnswerFlyweight figures();

    /** The items that were asked for, as far as the agent has sent them. Allocates. */
    List<Item> items();
}
