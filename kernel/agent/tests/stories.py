# SPDX-License-Identifier: Apache-2.0
"""stories.py PAGE DIRECTORY: the inputs that fuzzing begins with: every frame of docs/kmp.md, and whole morphs from both ends."""

import pathlib
import struct
import sys

import golden

OPERATION = bytes(range(16))
SOURCE, TARGET = 1, 2
DESCRIBE, OFFER, AGREE = 1, 2, 3
PULL, DATA, END = 1, 2, 3
LAST, COMPRESSED, FINAL = 1, 2, 4
QUIESCE, RELEASE, ACTIVATE, RETIRE, GIVE_BACK = 1, 2, 3, 4, 7
COLD, KEPT = 1, 2
XXH64 = 2
HELD, RUNNING = b"\1", b"\0"


def frame(msg_type, payload, after_ms=0, sequence=1):
    """The harness makes the checksum, and finds out what is answered where the sequence is 0."""
    return struct.pack("<IHHIIQII", 0x4B4D5000, 1, msg_type, sequence, len(payload), 0, 0, after_ms) + payload


def item(kind, value):
    return struct.pack("<HH", kind, len(value)) + value


def prepare(role, flags=0):
    return frame(0x0201, OPERATION + struct.pack("<BBHIII", role, 0, flags, 60000, 9, 0))


def negotiate(stage, items=b"", compression=0):
    return frame(0x0202, OPERATION + struct.pack("<BBHI", stage, compression, XXH64, 0) + items)


def transfer(step, region, number, flags=0, offset=0, extents=(), data=b"", items=b"", raw=None):
    head = struct.pack("<IIQBBHHHIIII", region, number, offset, step, 0, flags, len(extents), 0, len(data) if raw is None else raw, len(data),
                       1 << 22, 0)
    return frame(0x0203, OPERATION + head + b"".join(struct.pack("<QII", *extent) for extent in extents) + data + items)


def acknowledge(offset):
    return frame(0x8203, OPERATION + struct.pack("<BBHIQQII", 3, 0, 0, 0, offset, 0, 1 << 22, 0))


def validate(scope):
    return frame(0x0204, OPERATION + struct.pack("<B7x", scope))


def commit(phase, time_us=0, after_ms=0):
    return frame(0x0205, OPERATION + struct.pack("<B3xI", phase, time_us), after_ms)


def roll_back():
    return frame(0x0206, OPERATION + struct.pack("<HHI", 4, 0, 0))


def workload(kind, ident=0, value=0, size=0):
    return frame(0xFF00, struct.pack("<IIQQ64x", kind, ident, value, size))


def source(ending):
    return (RUNNING + prepare(SOURCE) + negotiate(DESCRIBE) + negotiate(AGREE) + transfer(PULL, 0xFFFFFFFF, 1)
            + acknowledge(65536) + commit(QUIESCE, 250000) + workload(7, size=10) + transfer(PULL, 0xFFFFFFFF, 2, FINAL) + ending)


def region(number, kind, size, name):
    return item(0x0011, struct.pack("<IHHQ", number, kind, 0, size) + name)


def state_kind(kind, size):
    return item(0x0010, struct.pack("<HHHHIIQ", kind, 1, 1, 0, 1, 0, size))


def saved_file(path):
    return struct.pack("<QQQqIIQQ", 5, 77, 3, 0, 0, 1, len(path), 3) + path + b"abc"


def saved_socket(what, queued):
    return struct.pack("<QIIIIHHIIIIIIII8BI20x", 9, what, 0, 0x100007F, 0x100007F, 80, 81, 5, 1000, 2000, 0, 0, len(queued), 1460, 7,
                       7, 7, 0, 0, 0, 0, 0, 0, 1) + queued


def zstd(data):
    """A frame of one block that is not packed: RFC 8878."""
    return struct.pack("<IBB", 0xFD2FB528, 0x20, len(data)) + struct.pack("<I", len(data) << 3 | 1)[:3] + data


def target(ending, compression=0):
    offer = (item(0x0007, b"x86_64") + state_kind(1, 65536) + region(3, 1, 65536, b"heap") + region(0x100, 2, 0, b"files")
             + region(0x101, 3, 0, b"sockets") + region(0x102, 4, 0, b"own"))
    told = HELD + prepare(TARGET) + negotiate(OFFER, offer) + negotiate(AGREE, compression=compression)
    held = [(3, b"state"), (0x100, saved_file(b"/tmp/x")), (0x101, saved_socket(1, b"") + saved_socket(2, b"hello")), (0x102, b"own")]
    for number, data in held:
        packed = zstd(data) if compression else data
        told += transfer(DATA, number, 1, LAST | FINAL | compression * COMPRESSED, extents=[(0, len(data), 0)], data=packed, raw=len(data))
        digest = item(0x0013, struct.pack("<IIHH", number, 1, XXH64, 0) + xxh64(struct.pack("<QII", 0, len(data), 0) + data))
        told += transfer(END, number, 1, FINAL, offset=len(data), items=digest)
    return told + ending


def xxh64(data):
    """As in the xxHash specification, seed 0; little-endian."""
    mask = (1 << 64) - 1
    p1, p2, p3, p4, p5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

    def left(x, by):
        return (x << by | x >> (64 - by)) & mask

    def mix(v, word):
        return left((v + word * p2) & mask, 31) * p1 & mask

    at, h = 0, p5
    if len(data) >= 32:
        v = [(p1 + p2) & mask, p2, 0, -p1 & mask]
        while len(data) - at >= 32:
            v = [mix(one, int.from_bytes(data[at + 8 * i:at + 8 * i + 8], "little")) for i, one in enumerate(v)]
            at += 32
        h = sum(left(one, by) for one, by in zip(v, (1, 7, 12, 18))) & mask
        for one in v:
            h = ((h ^ mix(0, one)) * p1 + p4) & mask
    h = (h + len(data)) & mask
    while len(data) - at >= 8:
        h = (left(h ^ mix(0, int.from_bytes(data[at:at + 8], "little")), 27) * p1 + p4) & mask
        at += 8
    if len(data) - at >= 4:
        h = (left(h ^ int.from_bytes(data[at:at + 4], "little") * p1 & mask, 23) * p2 + p3) & mask
        at += 4
    for byte in data[at:]:
        h = left(h ^ byte * p5 & mask, 11) * p1 & mask
    h = (h ^ h >> 33) * p2 & mask
    h = (h ^ h >> 29) * p3 & mask
    return (h ^ h >> 32).to_bytes(8, "little")


def start(share, offset=0, path=b"/proc/self/exe", length=1 << 20, rate=0):
    """The harness's own program stands for the memory."""
    head = struct.pack("<IIIB3xQQ", 9, share, 1 << 20, 0, offset, rate)
    return frame(0x0110, OPERATION + head + item(0x0020, struct.pack("<QQII", 0x100000, length, 0, 0))
                 + item(0x0024, struct.pack("<QQQ", 0x100000, 1 << 19, 0) + path))


def took(offset, msg_type=0x8111, after_ms=1):
    return frame(msg_type, OPERATION + struct.pack("<BBHIQQII", 12, 0, 0, 0, offset, 0, 1 << 20, 0), after_ms, sequence=0)


def share_over(outcome, share=1, sequence=1):
    return frame(0x0112, OPERATION + struct.pack("<IB3xQQ", share, outcome, 0, 0), sequence=sequence)


def stories(page):
    shown = golden.frames(page)
    for name, one in shown.items():
        yield f"source {name}", RUNNING + one
        yield f"target {name}", HELD + one
    yield "all golden", RUNNING + b"".join(shown.values())
    yield "released", source(commit(RELEASE))
    yield "lease over", source(commit(RELEASE, after_ms=300))
    yield "source rolled back", source(roll_back())
    yield "retired", RUNNING + commit(RETIRE, 1000000)
    yield "activated", target(validate(1) + workload(8) + workload(9) + validate(2) + commit(ACTIVATE) + workload(10))
    yield "compressed", target(validate(1) + workload(8) + workload(9) + validate(2), 1)
    yield "source compresses", RUNNING + prepare(SOURCE) + negotiate(AGREE, compression=1) + transfer(PULL, 0xFFFFFFFF, 1) + acknowledge(65536)
    yield "given back", target(validate(1) + workload(8) + workload(9) + validate(2) + commit(ACTIVATE) + commit(GIVE_BACK))
    yield "kept", RUNNING + prepare(TARGET, KEPT) + validate(2) + commit(ACTIVATE) + workload(10)
    yield "target rolled back", target(validate(2) + roll_back())
    read = RUNNING + start(1) + took(1 << 18) + took(1 << 19)
    yield "share read", read + took(1 << 20) + took(1 << 20) + took(0, 0x8112)
    yield "share goes on", read + start(1, 1 << 19) + took(1 << 20) + start(1, 1 << 20)
    yield "share again", read + start(1) + start(2, rate=1000) + start(2, 5) + took(1 << 20, after_ms=20000)
    yield "share cancelled", read + share_over(4) + share_over(4) + start(1, 1 << 19)
    yield "share refused", RUNNING + start(1, path=b"/proc") + start(1, path=b"x") + start(1, length=5) + share_over(1)
    yield "share retried", read + frame(0x0F02, struct.pack("<IHH", 50, 0x0111, 7), 1, 0) + took(1 << 20, after_ms=60)
    yield "promoted", HELD + prepare(TARGET, COLD) + validate(1) + commit(ACTIVATE)


def main(page, directory):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for name, story in stories(page):
        (directory / name.replace(" ", "-").replace(",", "")).write_bytes(story)


main(*sys.argv[1:])
