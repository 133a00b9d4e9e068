# SPDX-License-Identifier: Apache-2.0
"""CRIU as the peer of a morph: Debian's CRIU in a guest with Debian's 6.1 dumps kmorph-kv to memory and restores it on the same kernel.

A morph moves to another kernel, over a network; this one stays, and its images stay in memory: what CRIU is spared is to its favour.
Pre-dumps are not made: they take private memory in advance, and the workload's is shared, as libkmorph's regions are.
"""
import base64
import pathlib
import re
import shutil
import subprocess
import sys

import guests

# What CRIU asks the kernel about sockets with, and nf_tables to keep a dumped connection's packets out; Debian has them as modules.
MODULES = ("unix_diag", "inet_diag", "tcp_diag", "udp_diag", "raw_diag", "netlink_diag", "af_packet_diag", "nf_tables")


def needed(series):
    """The files of modules and of those that they depend on, in the order in which they can be loaded."""
    there = {file.stem.replace("-", "_"): file for file in (guests.kernels() / series / "modules").rglob("*.ko")}
    order = []

    def add(name):
        if name not in there:
            sys.exit(f"criu: kernel {series} has no module {name}; run ./kmorph kernels")
        for other in re.search(rb"\0depends=([^\0]*)\0", there[name].read_bytes()).group(1).decode().split(","):
            if other:
                add(other.replace("-", "_"))
        if there[name] not in order:
            order.append(there[name])

    for name in MODULES:
        add(name)
    return order


def libraries(program):
    """Those that a program is linked to and its loader, by their names without the first slash; none of a static one."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return {found[1:]: found for found in re.findall(r"(/\S+) \(0x", listed)}


def version():
    return subprocess.run(["criu", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


def archive(path, series, kv):
    """Writes an initramfs in which criu.sh can run."""
    busybox, criu = (shutil.which(program) for program in ("busybox", "criu"))
    tree = {"bin/criu": criu, "busybox": busybox, **libraries(criu), **libraries(busybox)}
    for number, module in enumerate(needed(series)):
        tree[f"modules/{number:02}-{module.name}"] = module
    return guests.archive(path, [kv, pathlib.Path(__file__).with_name("criu.sh")], tree)


def fields(message):
    """The fields of a message of protobuf, by number: https://protobuf.dev/programming-guides/encoding/. CRIU's statistics have varints and
    messages in them."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 not in (0, 2):
            raise ValueError(f"a field of wire type {key & 7} in CRIU's statistics; 0 or 2 was expected")
        value = varint()
        if key & 7 == 2:
            value, at = message[at:at + value], at + value
        found[key >> 3] = value
    return found


class Round:
    """What criu.sh says of a round, in milliseconds. Of the statistics' fields: images/stats.proto of CRIU."""

    def __init__(self, line):
        *times, dump, restore = line.split()[3:]
        dump_began, dumped, restore_began, restored = (float(time) * 1000 for time in times)
        # two magic numbers and the length of the message are before it
        dump, restore = (fields(base64.b64decode(file)[12:]) for file in (dump, restore))
        dump, restore = fields(dump[1]), fields(restore[2])
        self.freezing, self.frozen, self.restoring = dump[1] / 1000, dump[2] / 1000, restore[4] / 1000
        self.still = self.freezing + self.frozen + self.restoring
        self.total = dumped - dump_began + restored - restore_began
