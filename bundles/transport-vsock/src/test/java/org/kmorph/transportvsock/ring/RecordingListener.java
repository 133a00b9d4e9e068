// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.ring;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.transportvsock.stream.Header;

/** Keeps what it is told. */
final class RecordingListener implements RingListener {
    final List<String> told = new ArrayList<>();
    final List<byte[]> payloads = new ArrayList<>();
    final List<Header> headers = new ArrayList<>();
    int lastPong;

    @Override
    public void up() {
        told.add("up");
    }

    @Override
    public void down(String why) {
        told.add("down");
    }

    @Override
    public void frame(Header header, ByteBuffer payload) {
        byte[] bytes = new byte[payload.remaining()];
        payload.get(bytes);
        payloads.add(bytes);
        headers.add(header);
    }

    @Override
    public void pong(int number) {
        lastPong = number;
    }

    @Override
    public void remark(String text) {
        told.add("remark");
    }
}
