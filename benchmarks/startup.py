#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon the daemon answers, what it weighs, and how long a command takes: beside Apache Karaf's minimal distribution.

Both are started in turn, so that whatever else the machine does falls on both. "ready" is from exec of the start script until the
command door answers (the control socket here, the SSH port there); "resident" is VmRSS then; "command" is the wall time of one
command, warm: by kmorphctl here, by OpenSSH's client there. Printed: median (lowest to highest), and Karaf's median over ours.

usage: startup.py KMORPH_DIRECTORY [ROUNDS]
"""

import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

KARAF = "4.4.8"
DEADLINE_S = 60
COMMANDS = 20


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


def wait_for(answers, what):
    end = time.monotonic() + DEADLINE_S
    while not answers():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not answer within {DEADLINE_S} s")
        time.sleep(0.001)


def accepts(family, address):
    with socket.socket(family) as probe:
        try:
            probe.connect(address)
            return True
        except OSError:
            return False


def quiet(*words, **more):
    return subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)


def succeeds(words, environment):
    return subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def command_ms(words, environment):
    wait_for(lambda: succeeds(words, environment), "the first command")
    times = []
    for _ in range(COMMANDS):
        start = time.perf_counter()
        quiet(*words, env=environment)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


class Kmorph:
    def __init__(self, distribution, scratch):
        self.home = scratch / "kmorph"
        shutil.copytree(distribution, self.home, symlinks=True)

    def round(self):
        start = time.perf_counter()
        quiet(self.home / "bin/kmorphd", "start")
        ready = time.perf_counter() - start
        pid = int((self.home / "run/kmorphd.pid").read_text())
        resident = resident_mib(pid)
        command = command_ms([self.home / "bin/kmorphctl", "daemon", "status"], os.environ)
        quiet(self.home / "bin/kmorphctl", "daemon", "stop")
        return ready, resident, command


class Karaf:
    PORT = 18101

    def __init__(self, scratch):
        local = pathlib.Path.home() / f".m2/repository/org/apache/karaf/apache-karaf-minimal/{KARAF}"
        archive = local / f"apache-karaf-minimal-{KARAF}.tar.gz"
        if not archive.exists():
            artifact = f"org.apache.karaf:apache-karaf-minimal:{KARAF}:tar.gz"
            quiet("mvn", "-q", "-B", "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false")
        quiet("tar", "-C", scratch, "-xzf", archive)
        self.home = scratch / f"apache-karaf-minimal-{KARAF}"
        etc = self.home / "etc"
        self.key = scratch / "key"
        quiet("ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", self.key)
        blob = self.key.with_suffix(".pub").read_text().split()[1]
        (etc / "keys.properties").write_text(
            f"karaf={blob},_g_:admingroup\n_g_\\:admingroup = group,admin,manager,viewer,systembundles,ssh\n")
        shell = etc / "org.apache.karaf.shell.cfg"
        shell.write_text(shell.read_text().replace("sshPort = 8101", f"sshPort = {self.PORT}"))
        java = pathlib.Path(shutil.which("java")).resolve().parents[1]
        self.environment = dict(os.environ, JAVA_HOME=str(java))

    def round(self):
        start = time.perf_counter()
        server = subprocess.Popen([self.home / "bin/karaf", "server"], env=self.environment,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: accepts(socket.AF_INET, ("127.0.0.1", self.PORT)), "Karaf")
            ready = time.perf_counter() - start
            pids = subprocess.run(["pgrep", "-f", f"karaf.home={self.home}"], capture_output=True, text=True).stdout.split()
            resident = max(resident_mib(pid) for pid in pids)
            client = ["ssh", "-p", str(self.PORT), "-i", self.key, "-o", "StrictHostKeyChecking=no",
                      "-o", "UserKnownHostsFile=/dev/null", "karaf@127.0.0.1", "shell:date"]
            command = command_ms(client, self.environment)
            return ready, resident, command
        finally:
            quiet(self.home / "bin/stop", env=self.environment)
            server.wait(DEADLINE_S)


def main():
    distribution = pathlib.Path(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory(prefix="kmorph-bench-") as directory:
        scratch = pathlib.Path(directory)
        peers = {"kmorph": Kmorph(distribution, scratch), f"Karaf minimal {KARAF}": Karaf(scratch)}
        for peer in peers.values():
            peer.round()
        measured = {name: [] for name in peers}
        for _ in range(rounds):
            for name, peer in peers.items():
                measured[name].append(peer.round())
    print(f"{rounds} rounds in turn after one to warm up; median (lowest to highest)")
    print(f"{'':28}{'ready s':>22}{'resident MiB':>26}{'command ms':>26}")
    for name, values in measured.items():
        cells = [f"{statistics.median(v):.2f} ({min(v):.2f} to {max(v):.2f})" for v in zip(*values)]
        print(f"{name:28}{cells[0]:>22}{cells[1]:>26}{cells[2]:>26}")
    ours, theirs = (list(zip(*values)) for values in measured.values())
    ratios = [statistics.median(t) / statistics.median(o) for o, t in zip(ours, theirs)]
    print(f"{'Karaf over kmorph':28}{ratios[0]:>20.1f} x{ratios[1]:>24.1f} x{ratios[2]:>24.1f} x")


main()
