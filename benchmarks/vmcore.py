#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Capturing and analysing the memory of a kernel that has panicked: beside makedumpfile, QEMU's dump-guest-memory and crash.

A guest of 1 GiB, with about 600 MiB of what packs like a program's data, panics. All write to one tmpfs, where to sync costs nothing, from
memory that is cached, in turn: each round has every contender once. kmorph reads the guest's memory file, makedumpfile an ELF file of the
same memory in that tmpfs, QEMU its own memory. kmorph's times include the command's way through the daemon, and the file's SHA-256, which
the peers do not make: so there are three ratios. "peer" is the peer's time over that of the command as it is; "with digests" adds to the
peer's OpenSSL's digest of its file after it; "without" is the peer's time over that of the command with --digest=none. makedumpfile runs at
the nice value that kmorph-capture gives itself. "cold" is the first capture of a daemon that has just started, "warm" the later ones. On a
disk kmorph waits until the file is safe, and the peer's file is synced after it. With survivors, two local instances read the memory; the
peer is the daemon, which reads it itself. analyze has everything beside crash's "sys; log; bt; ps". Times are seconds, the median and the
range; a ratio is one of each round, again as median and range.
Heartbeats are those of another instance, while nothing else goes on and while captures run one after the other.

usage: vmcore.py KMORPH_DIRECTORY [ROUNDS [MEBIBYTES]]
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import guests

SERIES = "6.1"
NICE = ("nice", "-n", "10")
PINGS = 1000
DEADLINE_S = 900
HERE = pathlib.Path(__file__).parent


def timed(*words, stdin=None):
    begun = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, input=stdin)
    return time.monotonic() - begun


def initramfs(scratch):
    program = scratch / "fill"
    subprocess.run(["gcc", "-static", "-O2", "-o", program, HERE / "vmcore/fill.c"], check=True)
    return guests.archive(scratch / "fill.cpio", [program])


class Kmorph:
    def __init__(self, distribution, scratch):
        self.scratch = scratch
        self.home = scratch / "kmorph"
        shutil.copytree(distribution, self.home, symlinks=True)
        with open(self.home / "etc/org.kmorph.ssh.cfg", "a") as ssh:
            ssh.write("\nport = 0\n")
        self.ctl("daemon", "start")

    def panic(self, mebibytes):
        self.ctl("policy", "default", "auto-heal", "disabled")
        self.ctl(
            "spawn", "bench", "--host=qemu", f"--kernel={guests.kernels() / SERIES / 'vmlinuz'}", f"--memory={mebibytes}M",
            f"--initramfs={initramfs(self.scratch)}", "--workload=/fill", f"--workload={mebibytes * 7 // 10}",
        )
        end = time.monotonic() + DEADLINE_S
        while "panicked" not in self.ctl("status", "bench"):
            if time.monotonic() > end:
                raise RuntimeError(f"the guest has not panicked within {DEADLINE_S} s")
            time.sleep(0.2)
        identity = json.loads(self.ctl("status", "bench", "-o", "json"))["id"]
        self.directory = self.home / "state/instances" / str(identity)

    def ctl(self, *words):
        result = subprocess.run([self.home / "bin/kmorphctl", *words], cwd=self.home, capture_output=True, text=True)
        if result.returncode:
            raise RuntimeError(f"kmorphctl {' '.join(words)}: {result.stderr}")
        return result.stdout

    def restart(self):
        self.ctl("daemon", "stop")
        self.ctl("daemon", "start")

    def capture(self, path, *options):
        begun = time.monotonic()
        self.ctl("vmcore", "capture", "bench", f"--output={path}", *options)
        return time.monotonic() - begun

    def analyze(self, path):
        begun = time.monotonic()
        self.ctl("vmcore", "analyze", str(path))
        return time.monotonic() - begun

    def first_output(self, path):
        begun = time.monotonic()
        process = subprocess.Popen(
            [self.home / "bin/kmorphctl", "vmcore", "analyze", path], cwd=self.home, stdout=subprocess.PIPE
        )
        process.stdout.read(1)
        took = time.monotonic() - begun
        process.stdout.read()
        process.wait()
        return took

    def qemu(self, path, kind):
        """QEMU's dump-guest-memory, over its monitor."""
        begun = time.monotonic()
        with socket.socket(socket.AF_UNIX) as monitor:
            os.chdir(self.directory)  # a socket's address has room for 108 bytes
            monitor.connect("qmp.sock")
            lines = monitor.makefile()
            arguments = {"paging": False, "protocol": f"file:{path}", "format": kind}
            for command in (
                {"execute": "qmp_capabilities"},
                {"execute": "dump-guest-memory", "arguments": arguments, "id": "dump"},
            ):
                monitor.sendall(json.dumps(command).encode() + b"\n")
            for line in lines:
                answer = json.loads(line)
                if answer.get("id") == "dump":
                    if "error" in answer:
                        raise RuntimeError(f"QEMU: {answer['error']}")
                    break
        return time.monotonic() - begun

    def end(self):
        try:
            self.ctl("terminate", "bench", "--force")
        finally:
            self.ctl("daemon", "stop")


def figures(values, unit):
    return f"{statistics.median(values):8.2f}{unit} ({min(values):.2f} to {max(values):.2f})"


def digested(path):
    """What SHA-256 of a file takes, which has just been written: OpenSSL's, with the processor's instructions for it."""
    begun = time.monotonic()
    with open(path, "rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.monotonic() - begun


def ratios(ours, theirs):
    return figures([their / our for our, their in zip(ours, theirs)], " x")


def row(name, ours, theirs, digests=None, without=None):
    line = f"{name:<44} {figures(ours, ' s'):<28} {figures(theirs, ' s'):<28} {ratios(ours, theirs):<26}"
    if digests:
        line += f" {ratios(ours, [sum(pair) for pair in zip(theirs, digests)]):<26} {ratios(without, theirs)}"
    print(line.rstrip(), flush=True)


def synced(path, took):
    """What it takes in all until what was written is safe."""
    begun = time.monotonic()
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.close(file)
    return took + time.monotonic() - begun


def captures(kmorph, shm, source, rounds):
    contenders = []
    for level in (0, 31):
        for ours, option in (("zlib", "-c"), ("lzo", "-l"), ("zstd", "-l"), ("none", None)):
            options = [f"--compress={ours}", f"--level={level}"]
            words = [*NICE, "makedumpfile", "-f", *([option] if option else []), "-d", str(level), source, shm / "theirs"]
            peer = f"makedumpfile {option or 'plain'}"
            contenders.append((f"level {level:2}, {ours}; {peer}", options, lambda words=words: timed(*words)))
        words = [*NICE, "makedumpfile", "-f", "-E", "-d", str(level), source, shm / "theirs"]
        contenders.append((f"level {level:2}, elf; makedumpfile -E", ["--format=elf", f"--level={level}"], lambda words=words: timed(*words)))
    for kind, options in (("elf", ["--format=elf", "--level=0"]), ("kdump-zlib", ["--compress=zlib", "--level=1"])):
        contenders.append((f"level {options[-1][-1]:>2}, {kind}; QEMU", options, lambda kind=kind: kmorph.qemu(shm / "theirs", kind)))
    print(f"{'capture, warm':<44} {'kmorph':<28} {'peer':<28} {'peer / kmorph':<26} {'with digests':<26} without")
    for options in (["--compress=zlib"], ["--compress=lzo"], ["--compress=zstd"], ["--format=elf", "--level=0"]) * 2:
        kmorph.capture(shm / "ours", *options)
    for name, options, peer in contenders:
        ours, theirs, digests, without = [], [], [], []
        for _ in range(rounds):
            (shm / "ours").unlink(missing_ok=True)
            without.append(kmorph.capture(shm / "ours", *options, "--digest=none"))
            (shm / "ours").unlink()
            ours.append(kmorph.capture(shm / "ours", *options))
            (shm / "theirs").unlink(missing_ok=True)
            theirs.append(peer())
            digests.append(digested(shm / "theirs"))
        row(f"{name}, {os.stat(shm / 'ours').st_size >> 20} MiB", ours, theirs, digests, without)
    print("capture, cold")
    for option, words in (("--compress=lzo", "-l"), ("--compress=zlib", "-c")):
        ours, theirs = [], []
        for _ in range(rounds):
            kmorph.restart()
            ours.append(kmorph.capture(shm / "ours", option, "--level=31"))
            theirs.append(timed(*NICE, "makedumpfile", "-f", words, "-d", "31", source, shm / "theirs"))
        row(f"level 31, {option[11:]}; makedumpfile {words}", ours, theirs)


def captures_to_a_disk(kmorph, disk, source, rounds):
    print("capture, warm, to a disk")
    for level, ours, option in ((0, "lzo", "-l"), (31, "lzo", "-l"), (31, "zlib", "-c")):
        mine, theirs = [], []
        for _ in range(rounds):
            for name in ("ours", "theirs"):
                (disk / name).unlink(missing_ok=True)
            os.sync()
            mine.append(kmorph.capture(disk / "ours", f"--compress={ours}", f"--level={level}"))
            took = timed(*NICE, "makedumpfile", "-f", option, "-d", str(level), source, disk / "theirs")
            theirs.append(synced(disk / "theirs", took))
        row(f"level {level:2}, {ours}; makedumpfile {option}, synced", mine, theirs)


def captures_by_survivors(kmorph, shm, rounds):
    names = ("reader-1", "reader-2")
    for name in names:
        kmorph.ctl("spawn", name, "--kernel=share/example/kernel-header")
    print("capture, warm, by two survivors")
    for level in (0, 31):
        ours, direct = [], []
        for _ in range(rounds):
            for way, times in (("survivors", ours), ("daemon", direct)):
                (shm / "ours").unlink(missing_ok=True)
                times.append(kmorph.capture(shm / "ours", f"--by={way}", f"--level={level}"))
        row(f"level {level:2}, zstd; by the daemon", ours, direct)
    for name in names:
        kmorph.ctl("terminate", name, "--force")


def analyses(kmorph, shm, rounds):
    dump = shm / "dump"
    kmorph.capture(dump)
    print("analyze, warm")
    kmorph.analyze(dump)
    ours, theirs, first = [], [], []
    for _ in range(rounds):
        ours.append(kmorph.analyze(dump))
        first.append(kmorph.first_output(dump))
        theirs.append(timed("crash", "-s", guests.kernels() / SERIES / "vmlinux", dump, stdin=b"sys\nlog\nbt\nps\nquit\n"))
    row("all sections; crash", ours, theirs)
    print(f"first output after {figures(first, ' s')}")
    ours = []
    for _ in range(rounds):
        kmorph.restart()
        ours.append(kmorph.analyze(dump))
    row("all sections, cold; crash", ours, theirs)


def heartbeats(kmorph, shm):
    """The p99 of another instance's round trips, without captures and with."""
    kmorph.ctl("spawn", "other", "--kernel=share/example/kernel-header")

    def p99():
        said = kmorph.ctl("ping", "other", f"--count={PINGS}", "--interval=10ms")
        return float(re.search(r"p99 = [0-9.]+/[0-9.]+/([0-9.]+) ms", said).group(1))

    p99()
    idle, ended = p99(), threading.Event()

    def captures_without_end():
        while not ended.is_set():
            kmorph.capture(shm / "ours", "--level=0")

    capturing = threading.Thread(target=captures_without_end)
    capturing.start()
    busy = p99()
    ended.set()
    capturing.join()
    kmorph.ctl("terminate", "other", "--force")
    print(f"heartbeats' p99 {idle:.2f} ms; during captures at level 0, zstd: {busy:.2f} ms, {busy - idle:+.2f} ms", flush=True)


def main():
    # ended from outside, it ends its guest as well
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    distribution = pathlib.Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    mebibytes = int(sys.argv[3]) if len(sys.argv) > 3 else 1024
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch, tempfile.TemporaryDirectory(dir="/dev/shm") as shm:
        shm = pathlib.Path(shm)
        kmorph = Kmorph(distribution, pathlib.Path(scratch))
        try:
            kmorph.panic(mebibytes)
            kmorph.capture(shm / "source", "--format=elf", "--level=0")
            held = os.stat(shm / "source").st_blocks * 512 >> 20
            print(f"Linux {SERIES}, {mebibytes} MiB, {held} MiB of it not zero; {rounds} rounds; {os.cpu_count()} processors")
            captures(kmorph, shm, shm / "source", rounds)
            captures_to_a_disk(kmorph, pathlib.Path(scratch), shm / "source", rounds)
            captures_by_survivors(kmorph, shm, rounds)
            analyses(kmorph, shm, rounds)
            heartbeats(kmorph, shm)
        finally:
            kmorph.end()


if __name__ == "__main__":
    main()
