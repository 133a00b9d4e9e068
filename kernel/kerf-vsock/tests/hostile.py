# SPDX-License-Identifier: Apache-2.0
"""Peers that nobody should have: one that scribbles over the shared memory, one that speaks the protocol and says nonsense."""
import random
import struct
import time

SIDE = 4096
SLOT = 320
GENERATION, PEER_GENERATION, HEAD, TAIL, BULK_TAIL, RX_EVENT, PING, PONG = 64, 68, 128, 192, 196, 200, 256, 260
# src_cid dst_cid src_port dst_port len type op flags buf_alloc fwd_cnt
HEADER = struct.Struct("<QQIIIHHIII")
REQUEST, RESPONSE, RST, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST = range(1, 8)
WORDS = [64, 68, 128, 132, 192, 196, 200, 256, 260, 0, 4, 8, 12, 16, 20]


class Memory:
    """The words of a side, and where its frames go."""

    def __init__(self, keeper, side):
        self.keeper = keeper
        self.data = keeper.memory
        size = len(self.data)
        self.slots = size // 2048
        self.bulk_bytes = size // 4
        self.own = side * SIDE
        self.peer = (1 - side) * SIDE
        self.tx_slots = 2 * SIDE + side * self.slots * SLOT
        self.rx_slots = 2 * SIDE + (1 - side) * self.slots * SLOT
        self.tx_bulk = size // 2 + side * self.bulk_bytes

    def get(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def put(self, at, value):
        struct.pack_into("<I", self.data, at, value & 0xFFFFFFFF)


def scribble(keeper, seconds, seed):
    """Random bytes everywhere, and words that are nearly right where it hurts. Rings all the time."""
    r = random.Random(seed)
    memory = Memory(keeper, 0)
    size = len(keeper.memory)
    end = time.monotonic() + seconds
    writes = 0
    while time.monotonic() < end:
        for _ in range(50):
            kind = r.randrange(4)
            if kind == 0:
                at, n = r.randrange(size - 4096), r.randrange(1, 4096)
                keeper.memory[at:at + n] = r.randbytes(n)
            elif kind == 1:
                memory.put(r.randrange(2) * SIDE + r.choice(WORDS), r.choice([0, 1, r.getrandbits(32), 0xFFFFFFFF]))
            elif kind == 2:
                at = r.randrange(2) * SIDE + r.choice(WORDS)
                memory.put(at, memory.get(at) + r.choice([1, -1, 2, memory.slots, memory.slots + 1, 1 << 31]))
            else:
                at = 2 * SIDE + r.randrange(2 * memory.slots) * SLOT + r.randrange(15) * 4
                memory.put(at, r.getrandbits(r.randrange(1, 33)))
            writes += 1
        keeper.ring(r.choice(keeper.ids))
        # What a peer does between its writes: without this the guests, that share our processors, do nothing.
        time.sleep(0.002)
    return writes


class Liar:
    """Side 1 of a link, whose sessions are sound and whose frames are not."""

    def __init__(self, keeper, instance, seed):
        self.memory = Memory(keeper, 1)
        self.keeper = keeper
        self.cid = instance + 2
        self.instance = instance
        self.random = random.Random(seed)
        self.sessions = 0
        self.sent = 0
        self.taken = 0
        self.known = []  # (their port, our port) of connections that they asked for
        self.acknowledged = 0
        self.start()

    def start(self):
        m = self.memory
        m.put(m.own + GENERATION, 0)
        self.head = self.bulk_head = self.tail = 0
        self.acknowledged = 0
        self._words()
        m.put(m.own + PEER_GENERATION, 0)
        self.generation = self.random.randrange(1, 1 << 32)
        m.put(m.own + GENERATION, self.generation)
        self.keeper.ring(0)

    def _words(self):
        m = self.memory
        struct.pack_into("<6I", m.data, m.own, 0x4652454B, 1, len(m.data), self.instance, 1, 2)
        for at, value in ((HEAD, 0), (HEAD + 4, 0xFFFFFFFF), (TAIL, 0), (BULK_TAIL, 0), (RX_EVENT, 0)):
            m.put(m.own + at, value)

    def up(self):
        """Follows their generation; whether there is a session."""
        m = self.memory
        theirs = m.get(m.peer + GENERATION)
        if theirs != self.acknowledged:
            self.head = self.bulk_head = self.tail = 0
            self.known = []
            self._words()
            m.put(m.own + PEER_GENERATION, theirs)
            self.acknowledged = theirs
            self.sessions += theirs != 0
            self.keeper.ring(0)
        m.put(m.own + PONG, m.get(m.peer + PING))
        return theirs != 0 and m.get(m.peer + PEER_GENERATION) == self.generation

    def send(self, header, payload=b"", lie=None):
        m = self.memory
        if (self.head - m.get(m.peer + TAIL)) & 0xFFFFFFFF >= m.slots:
            return
        if (self.bulk_head - m.get(m.peer + BULK_TAIL)) & 0xFFFFFFFF > m.bulk_bytes - 65536:
            return
        bulk = len(payload) >= 256
        slot = [self.head, 2 if bulk else 1, self.bulk_head if bulk else 0, 0]
        if lie is not None:
            slot[lie] = self.random.getrandbits(32)
        at = m.tx_slots + self.head % m.slots * SLOT
        struct.pack_into("<4I", m.data, at, *(v & 0xFFFFFFFF for v in slot))
        m.data[at + 16:at + 60] = header
        if bulk:
            where = self.bulk_head % m.bulk_bytes
            first = min(len(payload), m.bulk_bytes - where)
            m.data[m.tx_bulk + where:m.tx_bulk + where + first] = payload[:first]
            m.data[m.tx_bulk:m.tx_bulk + len(payload) - first] = payload[first:]
            self.bulk_head += (len(payload) + 63) & ~63
        else:
            m.data[at + 60:at + 60 + len(payload)] = payload
        self.head += 1
        self.sent += 1
        m.put(m.own + HEAD, self.head)

    def take(self):
        """Takes what they sent, and answers some connections so that there is something to lie about."""
        m = self.memory
        # More than there are slots is what a new session of theirs looks like, which up() has not seen yet.
        while 0 < (m.get(m.peer + HEAD) - self.tail) & 0xFFFFFFFF <= m.slots:
            at = m.rx_slots + self.tail % m.slots * SLOT + 16
            src, dst, sport, dport, length, kind, op, *_ = HEADER.unpack(m.data[at:at + 44])
            if op == REQUEST and self.random.random() < 0.8:
                self.known = self.known[-50:] + [(sport, dport)]
                self.send(HEADER.pack(self.cid, 2, dport, sport, 0, kind, RESPONSE, 0, 1 << 18, 0))
            if length >= 256:
                m.put(m.own + BULK_TAIL, m.get(m.own + BULK_TAIL) + ((length + 63) & ~63))
            self.tail += 1
            self.taken += 1
            m.put(m.own + TAIL, self.tail)
        m.put(m.own + RX_EVENT, self.tail)

    def lie(self):
        r = self.random
        if self.known and r.random() < 0.7:
            theirs, ours = r.choice(self.known)
        else:
            theirs, ours = r.choice([5000, 5000, r.getrandbits(32)]), r.choice([r.randrange(1024, 1100), r.getrandbits(32)])
        payload = r.randbytes(r.choice([0, 0, 1, 44, 255, 256, 4096, 65536, r.randrange(65537)]))
        op = r.choice([REQUEST, RESPONSE, RST, SHUTDOWN, RW, RW, RW, CREDIT_UPDATE, CREDIT_REQUEST, r.getrandbits(16)])
        length = len(payload) if r.random() < 0.9995 else r.getrandbits(r.randrange(1, 33))
        header = HEADER.pack(self.cid if r.random() < 0.97 else r.getrandbits(64), 2 if r.random() < 0.97 else r.getrandbits(64),
                             ours, theirs, length, r.choice([1, 1, 1, 2, r.getrandbits(16)]), op, r.choice([0, 1, 2, 3, r.getrandbits(32)]),
                             r.choice([0, 1, 1 << 18, r.getrandbits(32)]), r.choice([0, 1, r.getrandbits(32)]))
        self.send(header, payload, r.randrange(3) if r.random() < 0.0005 else None)

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.up():
                if self.random.random() < 0.9:
                    self.take()
                for _ in range(self.random.randrange(1, 40)):
                    self.lie()
                if self.random.random() < 0.003:
                    self.start()
            self.keeper.ring(0)
            time.sleep(0.002)

    def stop(self):
        self.memory.put(self.memory.own + GENERATION, 0)
        self.keeper.ring(0)
