// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.kmorph.kmp.FrameDecoder;
import org.kmorph.kmp.FrameEncoder;
import org.kmorph.kmp.FrameFault;
import org.kmorph.kmp.FrameSink;
import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.Replies;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.KernelRelease;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Text;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.AgentState;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.HeartbeatAnswer;
import org.kmorph.kmp.message.HeartbeatRequest;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.OperationMessage;
import org.kmorph.kmp.message.RecoverComplete;
import org.kmorph.kmp.message.RecoverPrepare;
import org.kmorph.kmp.message.RecoverReclaim;
import org.kmorph.kmp.message.RetryAnswer;
import org.kmorph.kmp.message.Want;
import org.kmorph.kmp.wire.MalformedPayloadException;

/** An agent's side of one connection. It speaks KMP as docs/kmp.md says, as far as the daemon asks in a simulation. */
final class AgentEnd implements FrameSink {
    private final World world;
    private final Kernel kernel;
    private final Wire wire;
    private final FrameDecoder decoder = new FrameDecoder();
    private final FrameEncoder encoder = new FrameEncoder();
    private final Map<Integer, Consumer<Message>> asked = new HashMap<>();
    private int asks;

    AgentEnd(World world, Kernel kernel, Wire wire) {
        this.world = world;
        this.kernel = kernel;
        this.wire = wire;
    }

    void received(byte[] bytes) {
        if (kernel.listens(world.scheduler().now())) {
            decoder.feed(ByteBuffer.wrap(bytes), world.scheduler().now(), this);
        }
    }

    @Override
    public void frame(FrameView frame) {
        try {
            answer(frame.message(), frame);
        } catch (MalformedPayloadException e) {
            say(Replies.malformed(frame, e), frame.sequence());
        }
    }

    private void answer(Message request, FrameView frame) {
        int sequence = frame.sequence();
        if (request instanceof Acknowledgement || request instanceof ErrorAnswer || request instanceof RetryAnswer) {
            Optional.ofNullable(asked.remove(sequence)).ifPresent(waits -> waits.accept(request));
        } else if (request instanceof HeartbeatRequest heartbeat) {
            say(heartbeat(heartbeat.wants()), sequence);
        } else if (request instanceof RecoverPrepare prepare) {
            kernel.morphs.peerFailed(prepare.failedInstance());
            say(operation(MessageType.RECOVER_PREPARE_ANSWER, prepare, OperationState.PREPARED), sequence);
        } else if (request instanceof RecoverReclaim reclaim) {
            say(operation(MessageType.RECOVER_RECLAIM_ANSWER, reclaim, OperationState.RECLAIMED), sequence);
        } else if (request instanceof RecoverComplete complete) {
            say(operation(MessageType.RECOVER_COMPLETE_ANSWER, complete, OperationState.COMPLETE), sequence);
        } else if (request instanceof OperationMessage morph) {
            kernel.morphs.answer(morph, reply(frame.typeCode(), sequence));
        } else {
            say(Replies.error(ErrorCode.NOT_SUPPORTED, frame, 0, "not in a simulation"), sequence);
        }
    }

    private MorphAgent.Reply reply(int type, int sequence) {
        return new MorphAgent.Reply() {
            @Override
            public void say(Message answer) {
                AgentEnd.this.say(answer, sequence);
            }

            @Override
            public void refuse(int code, long value, String text) {
                List<Item> why = text.isEmpty() ? List.of() : List.of(new Text(text));
                int version = FrameView.VERSION;
                AgentEnd.this.say(new ErrorAnswer(code, type, version, version, value, why), sequence);
            }

            @Override
            public void ask(Message request, Consumer<Message> answered) {
                asked.put(++asks, answered);
                AgentEnd.this.say(request, asks);
            }
        };
    }

    private static Message operation(MessageType type, OperationMessage request, OperationState state) {
        return new OperationAnswer(type, request.operation(), state, Verdict.NONE, List.of());
    }

    private Message heartbeat(int wants) {
        List<Item> items = (wants & Want.KERNEL_RELEASE) == 0 ? List.of() : List.of(new KernelRelease(Machine.RELEASE));
        return new HeartbeatAnswer(
                kernel.id,
                AgentState.READY,
                kernel.work.state,
                1,
                kernel.bootId,
                (world.scheduler().now() - kernel.listensFromNanos) / 1_000_000,
                1L << 30,
                1L << 29,
                1_000,
                100,
                1_000,
                0,
                0,
                0,
                items);
    }

    private void say(Message message, int sequence) {
        if (!wire.isOver()) {
            wire.toDaemon(
                    encoder.encode(message, sequence, world.scheduler().now()), message instanceof HeartbeatAnswer);
        }
    }

    @Override
    public void unknownType(FrameView header) {
        say(Replies.unsupportedType(header), header.sequence());
    }

    @Override
    public void fault(FrameFault fault, FrameView header) {
        Replies.to(fault, header).ifPresent(answer -> say(answer, header.sequence()));
        wire.breakOff("the agent closes: " + fault, true);
    }
}
