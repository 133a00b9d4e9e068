# SPDX-License-Identifier: Apache-2.0
"""As much of docs/kmp.md as a peer of the agent needs, written from that page."""

import collections
import socket
import struct
import zlib

MAGIC = 0x4B4D5000
HEADER = struct.Struct("<IHHIIQII")
ANSWER = 0x8000
HEARTBEAT, HEALTH_STATUS = 0x0001, 0x0002
MORPH_PREPARE, MORPH_NEGOTIATE, MORPH_TRANSFER_STATE, MORPH_COMMIT = 0x0201, 0x0202, 0x0203, 0x0205
VMCORE_START, VMCORE_DATA, VMCORE_COMPLETE, ERROR, RETRY = 0x0110, 0x0111, 0x0112, 0x0F01, 0x0F02
UNSUPPORTED_VERSION, UNSUPPORTED_TYPE, TOO_LARGE, MALFORMED, BUSY, NOT_SUPPORTED, NO_WORKLOAD = 1, 2, 3, 4, 7, 8, 14
QUERY, ACTIVATE, RETIRE = 0, 3, 4
MEMORY_PRESSURE, WRITER_STUCK, WORKLOAD_ENDED = 1, 2, 3
CLEARED, WARNING, CRITICAL = 0, 1, 2
NONE, HELD, RUNNING, EXITED, FAILED, STOPPED = 0, 1, 3, 5, 6, 7
IO_STUCK, IO_UNMEASURED = 1, 2
DIGEST, MEMORY_RANGE, MEMORY_FILE = 0x13, 0x20, 0x24
ZERO, UNREADABLE = 1, 2
KERNEL_RELEASE, CAPABILITIES, AGENT_VERSION, WORKLOAD, OPERATION, TEXT = 1, 2, 3, 4, 5, 6
EVERYTHING = 0x1F

Frame = collections.namedtuple("Frame", "type sequence payload")
Heartbeat = collections.namedtuple("Heartbeat", "instance agent_state workload_state cpu_count boot_id uptime_ms memory_total "
                                   "memory_available cpu_use load1 io_us io_age_ms flags trouble items")
HealthStatus = collections.namedtuple("HealthStatus", "instance condition severity workload_state boot_id value limit trouble items")
Error = collections.namedtuple("Error", "code request_type version_min version_max value")
Workload = collections.namedtuple("Workload", "pid exit_status starts since_ns")


def frame(msg_type, payload=b"", sequence=1, version=1, magic=MAGIC, length=None, crc_off_by=0):
    """The bytes of one; length, checksum and the rest are right unless told otherwise."""
    length = len(payload) if length is None else length
    blank = HEADER.pack(magic, version, msg_type, sequence, length, 5, 0, 0)
    return HEADER.pack(magic, version, msg_type, sequence, length, 5, (zlib.crc32(blank + payload) + crc_off_by) & 0xFFFFFFFF, 0) + payload


def heartbeat_request(wants=0, sequence=1):
    return frame(HEARTBEAT, struct.pack("<II", wants, 0), sequence)


def items(payload):
    """By type; the first of each counts."""
    found = {}
    while payload:
        kind, length = struct.unpack_from("<HH", payload)
        found.setdefault(kind, payload[4:4 + length])
        payload = payload[4 + length:]
    return found


def heartbeat(payload):
    return Heartbeat(*struct.unpack_from("<IBBHQQQQIIIIII", payload), items(payload[64:]))


def health_status(payload):
    return HealthStatus(*struct.unpack_from("<IHBBQQQI4x", payload), items(payload[40:]))


def error(payload):
    return Error(*struct.unpack_from("<HHHHQ", payload))


def item(kind, value):
    return struct.pack("<HH", kind, len(value)) + value


def vmcore_start(operation, share, ranges, path, window=1 << 20, offset=0):
    """A file that holds physical memory from address 0 on."""
    end = max(start + length for start, length in ranges)
    return (operation + struct.pack("<IIIB3xQQ", 9, share, window, 0, offset, 0)
            + b"".join(item(MEMORY_RANGE, struct.pack("<QQII", start, length, 0, 0)) for start, length in ranges)
            + item(MEMORY_FILE, struct.pack("<QQQ", 0, end, 0) + str(path).encode()))


def vmcore_data(payload):
    """Its stream offset, and for each extent its address, length, flags and bytes."""
    _, _, count, offset, _, _ = struct.unpack_from("<IHHQII", payload, 16)
    at, found = 40 + 16 * count, []
    for i in range(count):
        address, length, flags = struct.unpack_from("<QII", payload, 40 + 16 * i)
        found.append((address, length, flags, payload[at:at + (0 if flags else length)]))
        at += 0 if flags else length
    return offset, found


def acknowledgement(operation, offset, window=1 << 20):
    return operation + struct.pack("<BBHIQQII", 12, 0, 0, 0, offset, 0, window, 0)


def workload(value):
    return Workload(*struct.unpack_from("<IiI4xQ", value))


class Peer:
    """A daemon's end of one connection."""

    def __init__(self, path, patience_s):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(patience_s)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.told = []
        """each HEALTH_STATUS that has come"""
        self.sequence = 100

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self, length):
        """Fewer bytes only where the stream ends."""
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                break
            data += more
        return data

    def next(self):
        """The next frame; None at the end of the stream."""
        head = self.read(HEADER.size)
        if not head:
            return None
        magic, version, msg_type, sequence, length, _, crc, _ = HEADER.unpack(head)
        payload = self.read(length)
        assert magic == MAGIC and version == 1 and len(payload) == length
        assert crc == zlib.crc32(head[:24] + bytes(4) + head[28:] + payload), "the checksum is wrong"
        return Frame(msg_type, sequence, payload)

    def answer(self):
        """The next frame that is no HEALTH_STATUS."""
        while True:
            came = self.next()
            if came is None or came.type != HEALTH_STATUS:
                return came
            self.told.append(health_status(came.payload))

    def ask(self, msg_type, payload=b""):
        self.sequence += 1
        self.send(frame(msg_type, payload, self.sequence))
        came = self.answer()
        assert came is not None, "the agent hung up"
        assert came.sequence == self.sequence
        return came

    def heartbeat(self, wants=0):
        came = self.ask(HEARTBEAT, struct.pack("<II", wants, 0))
        assert came.type == HEARTBEAT | ANSWER and 32 + len(came.payload) < 256
        return heartbeat(came.payload)

    def commit(self, operation, phase, time_us=0):
        return self.ask(MORPH_COMMIT, operation + struct.pack("<B3xI", phase, time_us))

    def refusal(self, msg_type, payload=b""):
        came = self.ask(msg_type, payload)
        assert came.type == ERROR, f"{came.type:#x} came in place of an error"
        return error(came.payload)

    def status(self):
        """The next HEALTH_STATUS."""
        while not self.told:
            came = self.next()
            assert came is not None and came.type == HEALTH_STATUS
            self.told.append(health_status(came.payload))
        return self.told.pop(0)
