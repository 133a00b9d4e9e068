// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.nio.ByteBuffer;
import org.kmorph.kmp.wire.LittleEndian;

/**
 * The fixed part of KMP_HEARTBEAT_RSP where it lies in a buffer. Allocates and checks nothing. Items may follow at
 * {@link #LENGTH}. Setters take the low bits of what they are given. Not thread-safe.
 */
public final class HeartbeatAnswerFlyweight {
    /** Of the payload without items. */
    public static final int LENGTH = 64;

    /** In flags: a synced write has not returned. */
    public static final int IO_STUCK = 1;

    /** In flags: no synced write could be tried. */
    public static final int IO_UNMEASURED = 1 << 1;

    private ByteBuffer buffer = ByteBuffer.allocate(LENGTH);

    private int at;

    /** Lays it over a buffer of which {@link #LENGTH} bytes from the index are in bounds. */
    public HeartbeatAnswerFlyweight wrap(ByteBuffer buffer, int payloadAt) {
        this.buffer = buffer;
        this.at = payloadAt;
        return this;
    }

    public long instanceId() {
        return LittleEndian.u32(buffer, at);
    }

    public HeartbeatAnswerFlyweight instanceId(long value) {
        LittleEndian.put32(buffer, at, (int) value);
        return this;
    }

    /** The code of an {@link org.kmorph.kmp.message.AgentState}, or anything else that a peer sent. */
    public int agentState() {
        return LittleEndian.u8(buffer, at + 4);
    }

    public HeartbeatAnswerFlyweight agentState(int value) {
        LittleEndian.put8(buffer, at + 4, value);
        return this;
    }

    /** The code of a {@link org.kmorph.kmp.message.WorkloadState}, or anything else that a peer sent. */
    public int workloadState() {
        return LittleEndian.u8(buffer, at + 5);
    }

    public HeartbeatAnswerFlyweight workloadState(int value) {
        LittleEndian.put8(buffer, at + 5, value);
        return this;
    }

    public int cpuCount() {
        return LittleEndian.u16(buffer, at + 6);
    }

    public HeartbeatAnswerFlyweight cpuCount(int value) {
        LittleEndian.put16(buffer, at + 6, value);
        return this;
    }

    /** Random, another after each boot. */
    public long bootId() {
        return LittleEndian.i64(buffer, at + 8);
    }

    public HeartbeatAnswerFlyweight bootId(long value) {
        LittleEndian.put64(buffer, at + 8, value);
        return this;
    }

    /** Of the instance. */
    public long uptimeMillis() {
        return LittleEndian.i64(buffer, at + 16);
    }

    public HeartbeatAnswerFlyweight uptimeMillis(long value) {
        LittleEndian.put64(buffer, at + 16, value);
        return this;
    }

    public long memoryTotalBytes() {
        return LittleEndian.i64(buffer, at + 24);
    }

    public HeartbeatAnswerFlyweight memoryTotalBytes(long value) {
        LittleEndian.put64(buffer, at + 24, value);
        return this;
    }

    public long memoryAvailableBytes() {
        return LittleEndian.i64(buffer, at + 32);
    }

    public HeartbeatAnswerFlyweight memoryAvailableBytes(long value) {
        LittleEndian.put64(buffer, at + 32, value);
        return this;
    }

    /** Of all its processors, in hundredths of a percent. */
    public long cpuUse() {
        return LittleEndian.u32(buffer, at + 40);
    }

    public HeartbeatAnswerFlyweight cpuUse(long value) {
        LittleEndian.put32(buffer, at + 40, (int) value);
        return this;
    }

    /** Load average of one minute, in hundredths. */
    public long load1() {
        return LittleEndian.u32(buffer, at + 44);
    }

    public HeartbeatAnswerFlyweight load1(long value) {
        LittleEndian.put32(buffer, at + 44, (int) value);
        return this;
    }

    /** What the last small synced write took; with {@link #IO_STUCK} its time so far. */
    public long ioMicros() {
        return LittleEndian.u32(buffer, at + 48);
    }

    public HeartbeatAnswerFlyweight ioMicros(long value) {
        LittleEndian.put32(buffer, at + 48, (int) value);
        return this;
    }

    /** Since that write was begun. */
    public long ioAgeMillis() {
        return LittleEndian.u32(buffer, at + 52);
    }

    public HeartbeatAnswerFlyweight ioAgeMillis(long value) {
        LittleEndian.put32(buffer, at + 52, (int) value);
        return this;
    }

    /** {@link #IO_STUCK}, {@link #IO_UNMEASURED}. */
    public int flags() {
        return LittleEndian.i32(buffer, at + 56);
    }

    public HeartbeatAnswerFlyweight flags(int value) {
        LittleEndian.put32(buffer, at + 56, value);
        return this;
    }

    /** Bit n: {@link org.kmorph.kmp.message.Condition} n holds. */
    public int trouble() {
        return LittleEndian.i32(buffer, at + 60);
    }

    public HeartbeatAnswerFlyweight trouble(int value) {
        LittleEndian.put32(buffer, at + 60, value);
        return this;
    }
}
