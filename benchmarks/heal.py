#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the work of a killed instance is away: beside a process supervisor that does nothing but start its program again.

An instance of host local at 100 ms heartbeats is killed with kill -9, again and again, and healed by the daemon: confirmed to have
failed, fenced, its resources given back, started anew under a new id, each step in the journal. Times are the daemon's own log's, in
milliseconds: "detected" is from the kill until the instance is FAILED, "back" from the kill until its successor has answered its first
heartbeat. A kill is timed before it is sent; of a time in the log, whose last digit is the millisecond, the end of that is taken. So
each value is up to 1 ms too long, and none too short. The peer is runsv (runit) over the same agent: from the kill until the agent's socket accepts a connection again. runsv starts
nothing more than once a second, so every program is let run a little longer than that before it is killed.

usage: heal.py KMORPH_DIRECTORY [RUNS]
"""

import datetime
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
import time

DEADLINE_S = 60
LET_RUN_S = 1.1
LOG_DIGIT_S = 0.001
CHANGE = re.compile(r'^(\S+) .*instance "bench" was (\w+) and is (\w+)')


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come about within {DEADLINE_S} s")
        time.sleep(0.002)


class Kmorph:
    def __init__(self, distribution, scratch):
        self.home = scratch / "kmorph"
        shutil.copytree(distribution, self.home, symlinks=True)
        with open(self.home / "etc/org.kmorph.ssh.cfg", "a") as ssh:
            ssh.write("\nport = 0\n")
        self.ctl("daemon", "start")
        self.ctl("policy", "default", "heal-max-crashes", "1000")
        self.ctl("policy", "default", "heal-backoff", "0s")
        self.ctl("spawn", "bench", "--kernel=share/example/kernel-header", "--heartbeat-timeout=300ms")
        self.log = open(self.home / "log/kmorphd.log")
        wait_for(lambda: self.status().get("health") == "HEALTHY", "the first heartbeat")
        self.log.read()

    def ctl(self, *words, check=True):
        result = subprocess.run([self.home / "bin/kmorphctl", *words], cwd=self.home, capture_output=True, text=True)
        if check and result.returncode:
            raise RuntimeError(f"{words}: {result.stderr}")
        return result

    def status(self):
        result = self.ctl("status", "bench", "-o", "json", check=False)
        return json.loads(result.stdout) if result.returncode == 0 else {}

    def agent(self, identity):
        wanted = [str(self.home / "libexec/kmorph-agent").encode(), f"--instance={identity}".encode()]
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if words[:1] == wanted[:1] and wanted[1] in words:
                    return int(entry)
        raise RuntimeError(f"no agent of instance {identity}")

    def changes(self):
        """Changes of health since the last call: [(seconds, health)]."""
        found = []
        for line in self.log.readlines():
            change = CHANGE.match(line)
            if change:
                found.append((datetime.datetime.fromisoformat(change[1]).timestamp() + LOG_DIGIT_S, change[3]))
        return found

    def run(self):
        time.sleep(LET_RUN_S)
        pid = self.agent(self.status()["id"])
        self.changes()
        killed = time.time()
        os.kill(pid, signal.SIGKILL)
        seen = []

        def back():
            seen.extend(self.changes())
            return [health for _, health in seen][-1:] == ["HEALTHY"] and any(h == "FAILED" for _, h in seen)

        wait_for(back, "the successor")
        detected = next(at for at, health in seen if health == "FAILED")
        return (detected - killed) * 1000, (seen[-1][0] - killed) * 1000

    def close(self):
        self.ctl("terminate", "bench", "--force", check=False)
        self.ctl("daemon", "stop")


class Runsv:
    def __init__(self, distribution, scratch):
        self.directory = scratch / "runsv"
        self.directory.mkdir()
        script = self.directory / "run"
        script.write_text(f"#!/bin/sh\nexec '{distribution}/libexec/kmorph-agent' --local --instance=1 "
                          "--listen=unix:agent.sock --state=. 2>/dev/null\n")
        script.chmod(0o755)
        self.supervisor = subprocess.Popen(["runsv", self.directory])
        wait_for(self.listens, "the agent")

    def pid(self):
        return int((self.directory / "supervise/pid").read_text() or 0)

    def listens(self):
        here = os.getcwd()
        os.chdir(self.directory)
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect("agent.sock")
            return True
        except OSError:
            return False
        finally:
            os.chdir(here)

    def run(self):
        time.sleep(LET_RUN_S)
        pid = self.pid()
        killed = time.time()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.pid() not in (0, pid), "another agent")
        wait_for(self.listens, "the agent")
        return (time.time() - killed) * 1000

    def close(self):
        self.supervisor.terminate()
        self.supervisor.wait(DEADLINE_S)


def row(name, values):
    ordered = sorted(values)
    p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name:44}{p50:>10.1f}{p99:>10.1f}{ordered[0]:>10.1f}{ordered[-1]:>10.1f}")
    return p50


def main():
    distribution = pathlib.Path(sys.argv[1]).resolve()
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory(prefix="kmorph-bench-") as directory:
        scratch = pathlib.Path(directory)
        kmorph, runsv = Kmorph(distribution, scratch), Runsv(distribution, scratch)
        try:
            measured = [(*kmorph.run(), runsv.run()) for _ in range(runs)]
        finally:
            runsv.close()
            kmorph.close()
    print(f"{runs} kills of each in turn, milliseconds from kill -9")
    print(f"{'':44}{'p50':>10}{'p99':>10}{'least':>10}{'most':>10}")
    detected, back, supervised = zip(*measured)
    row("kmorph: detected", detected)
    ours = row("kmorph: successor's first heartbeat answered", back)
    theirs = row("runsv: the same agent listens again", supervised)
    print(f"kmorph over runsv, p50: {ours / theirs:.1f} x")


main()
