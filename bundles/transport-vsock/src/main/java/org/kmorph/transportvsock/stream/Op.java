// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.stream;

import java.util.Optional;

/** What a vsock frame does: {@code enum virtio_vsock_op}, virtio 1.2 section 5.10.6. */
public enum Op {
    REQUEST(1),
    RESPONSE(2),
    RST(3),
    SHUTDOWN(4),
    RW(5),
    CREDIT_UPDATE(6),
    CREDIT_REQUEST(7);

    /** Flags of SHUTDOWN: the sender receives no more, and sends no more. */
    public static final int SHUTDOWN_RECEIVE = 1;

    public static final int SHUTDOWN_SEND = 2;
    public static final int SHUTDOWN_BOTH = SHUTDOWN_RECEIVE | SHUTDOWN_SEND;

    private final int number;

    Op(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }

    public static Optional<Op> of(int number) {
        return number >= 1 && number <= values().length ? Optional.of(values()[number - 1]) : Optional.empty();
    }
}
