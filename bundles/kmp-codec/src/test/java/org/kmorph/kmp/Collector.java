// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.util.ArrayList;
import java.util.List;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.wire.MalformedPayloadException;

/** Keeps what a decoder found. */
final class Collector implements FrameSink {
    final List<Message> messages = new ArrayList<>();

    final List<Integer> sequences = new ArrayList<>();

    final List<MalformedPayloadException> malformed = new ArrayList<>();

    final List<Integer> unknownTypes = new ArrayList<>();

    final List<FrameFault> faults = new ArrayList<>();

    @Override
    public void frame(FrameView frame) {
        sequences.add(frame.sequence());
        try {
            messages.add(frame.message());
        } catch (MalformedPayloadException e) {
            malformed.add(e);
        }
    }

    @Override
    public void unknownType(FrameView header) {
        unknownTypes.add(header.typeCode());
    }

    @Override
    public void fault(FrameFault fault, FrameView header) {
        faults.add(fault);
    }
}
