#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""morph_qemu.py KMORPH [MORPHS] [--state=8] [--connections=4] [--rate=20] [--criu=10]

Morphs between real kernels: Debian's 6.1 and 6.12 in turn, each on a machine of QEMU, with a client in a third kernel that writes and
checks every answer. Prints how long the workload stood still; the time from the old kernel's last answer to the new one's first, which is
"handed over"; and the longest gap between two answers that the client saw in the seconds of a morph, in which a kernel boots, beside that
of four seconds without one. CRIU dumps and restores the same workload, with the same client, as often
as --criu says. Writes target/bench-morph/qemu.txt. Needs ./kmorph kernels.
"""
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import criu
import guests

SERVER, PORT = "10.77.0.1", 7000
OPTIONS = {"state": "8", "connections": "4", "rate": "20", "criu": "10"}
# A round of CRIU takes seconds, emulated tens of them.
PATIENCE_S = 300


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))]


class Bench:
    """A daemon of its own, and what has been measured with it, in milliseconds."""

    def __init__(self, kmorph, morphs, options):
        self.morphs, self.options = morphs, options
        self.scratch = tempfile.mkdtemp(prefix="kmorph-bench-")
        self.home = f"{self.scratch}/kmorph"
        shutil.copytree(kmorph, self.home, symlinks=True)
        group = f"239.192.{random.randrange(256)}.{random.randrange(256)}:{random.randrange(10000, 60000)}"
        for file, line in (("ssh", "port = 0"), ("host-qemu", f"network = {group}"), ("morph", "provisional.seconds = 0")):
            with open(f"{self.home}/etc/org.kmorph.{file}.cfg", "a") as configuration:
                configuration.write(f"\n{line}\n")
        self.kv = f"{self.home}/libexec/kmorph-kv"
        self.files = guests.archive(f"{self.scratch}/kv.cpio", [self.kv, f"{self.home}/libexec/kmorph-kv-client"])
        self.still, self.overs, self.gaps, self.base, self.commits, self.totals, self.steps = [], [], [], [], [], [], {}
        self.rounds, self.criu_gaps = [], []
        self.wrong = self.closed = 0

    def ctl(self, *command, check=True):
        done = subprocess.run([f"{self.home}/bin/kmorphctl", *command], capture_output=True, text=True)
        if check and done.returncode != 0:
            sys.exit(f"morph_qemu: kmorphctl {' '.join(command)}: {done.stderr}")
        return done.stdout

    def spawn(self, name, series, address, files, memory, *workload):
        self.ctl("spawn", name, "--host=qemu", f"--kernel={guests.kernels()}/{series}/vmlinuz", f"--memory={memory}M",
                 "--heartbeat-timeout=20s", f"--address={address}/24", f"--initramfs={files}",
                 *[f"--workload={word}" for word in workload])

    def spawn_client(self):
        self.spawn("client", "6.12", "10.77.0.2", self.files, 160, "/kmorph-kv-client", f"--connect={SERVER}:{PORT}", "--every=1",
                   "--seconds=100000", f"--connections={self.options['connections']}", f"--rate={self.options['rate']}")

    def said(self):
        """What the client has said so far: a line for each second."""
        return [json.loads(line) for line in self.ctl("console", "client").splitlines() if line.startswith('{"answers"')]

    def end(self):
        """Of both machines; what the client has said last counts."""
        last = self.said()[-1]
        self.wrong, self.closed = self.wrong + last["wrong"], self.closed + last["closed"]
        for name in ("client", "server"):
            self.ctl("terminate", name, "--force")

    def morph(self, morphs):
        state = int(self.options["state"])
        self.spawn("server", "6.1", SERVER, self.files, 144 + 2 * state, "/kmorph-kv", f"--listen={SERVER}:{PORT}", f"--state={state}")
        time.sleep(5)
        self.spawn_client()
        time.sleep(5)
        for number in range(morphs):
            before, began = len(self.said()), time.monotonic()
            self.ctl("morph", "prepare", "server", f"--kernel={guests.kernels()}/{('6.12', '6.1')[number % 2]}/vmlinuz")
            prepared = time.monotonic()
            self.ctl("morph", "commit", "server")
            ended = time.monotonic()
            self.commits.append((ended - prepared) * 1000)
            self.totals.append((ended - began) * 1000)
            time.sleep(1.5)
            during = len(self.said())
            status = json.loads(self.ctl("morph", "status", "server", "-o", "json"))
            self.still.append(status["blackout_ms"])
            for step in status["steps"]:
                name, micros, _ = step.rsplit(" ", 2)
                self.steps.setdefault(name, []).append(int(micros) / 1000)
            time.sleep(4)
            lines = self.said()
            self.overs.append(max(line["hand_over_us"] for line in lines[before:during]) / 1000)
            self.gaps.append(max(line["gap_us"] for line in lines[before:during]) / 1000)
            self.base.append(max(line["gap_us"] for line in lines[during:]) / 1000)
            print(f"morph {len(self.still)}: still {self.still[-1]:.1f} ms, handed over {self.overs[-1]:.1f} ms, "
                  f"gap {self.gaps[-1]:.1f} ms, without {self.base[-1]:.1f} ms", file=sys.stderr)
        self.end()

    def criu_says(self, beginning):
        """The line of criu.sh that begins so, as soon as it is there."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            console = self.ctl("console", "server")
            for line in console.splitlines():
                if line.startswith(beginning):
                    return line
            if "criu failed" in console:
                break
            time.sleep(.3)
        sys.exit(f"morph_qemu: CRIU's machine did not say {beginning!r}; its console:\n{console}")

    def criu(self, rounds):
        state = int(self.options["state"])
        files = criu.archive(f"{self.scratch}/criu.cpio", "6.1", self.kv)
        # the workload, its images, and what it is while it is restored
        self.spawn("server", "6.1", SERVER, files, 240 + 4 * state, "/busybox", "sh", "/criu.sh",
                   f"{SERVER}:{PORT}", str(state), str(rounds))
        time.sleep(5)
        self.spawn_client()
        for number in range(1, rounds + 1):
            self.criu_says(f"criu begins {number}")
            before = len(self.said())
            self.rounds.append(criu.Round(self.criu_says(f"criu ended {number} ")))
            # the line in which the client's answers are back is a later one
            time.sleep(4)
            self.criu_gaps.append(max(line["gap_us"] for line in self.said()[before:]) / 1000)
            print(f"CRIU {len(self.rounds)}: still {self.rounds[-1].still:.1f} ms, gap {self.criu_gaps[-1]:.1f} ms, "
                  f"whole {self.rounds[-1].total:.0f} ms", file=sys.stderr)
        self.end()

    def report(self):
        yield (f"{self.morphs} morphs between 6.1 and 6.12 under QEMU, {self.options['state']} MiB, "
               f"{self.options['connections']} connections; milliseconds")
        for name, values in (("workload stood still", self.still), ("handed over", self.overs), ("client's longest gap", self.gaps),
                             ("the same without one", self.base), ("commit, once prepared", self.commits), ("whole morph", self.totals)):
            yield f"  {name:24} p50 {quantile(values, .5):9.1f}  p99 {quantile(values, .99):9.1f}  max {max(values):9.1f}"
        for name, values in self.steps.items():
            yield f"  {name:40} p50 {quantile(values, .5):8.3f}  p99 {quantile(values, .99):8.3f}"
        if self.rounds:
            whole = [one.total for one in self.rounds]
            yield f"CRIU {criu.version()}, {len(self.rounds)} dumps and restores on 6.1, in memory; milliseconds, medians and ranges"
            for name, values, ours in (("workload stood still", [one.still for one in self.rounds], self.still),
                                       ("client's longest gap", self.criu_gaps, self.gaps),
                                       ("whole; prepared before", whole, self.commits),
                                       ("whole; kernel started", whole, self.totals)):
                yield (f"  {name:24} {middle(values)}  morph {middle(ours)}  CRIU / morph "
                       f"{statistics.median(values) / statistics.median(ours):.2f}")
            for name in ("freezing", "frozen", "restoring"):
                yield f"    of CRIU's, {name:12} {middle([getattr(one, name) for one in self.rounds])}"
        yield f"answers in all: wrong {self.wrong}, connections closed {self.closed}"

    def run(self):
        self.ctl("daemon", "start")
        try:
            self.ctl("policy", "default", "auto-heal", "disabled")
            # in two halves, so that what the machine has to do besides in the meantime meets both
            for half in (1, 0):
                for measure, times in ((self.morph, self.morphs), (self.criu, int(self.options["criu"]))):
                    if (times + half) // 2:
                        measure((times + half) // 2)
        finally:
            for name in ("client", "server"):
                self.ctl("terminate", name, "--force", check=False)
            self.ctl("daemon", "stop", check=False)
            shutil.rmtree(self.scratch)
        report = "\n".join(self.report())
        print(report)
        os.makedirs("target/bench-morph", exist_ok=True)
        with open("target/bench-morph/qemu.txt", "w") as file:
            file.write(report + "\n")
        if self.wrong or self.closed:
            sys.exit("morph_qemu: not every answer was right")


def middle(values):
    return f"{statistics.median(values):9.1f} ({min(values):.1f} to {max(values):.1f})"


def main():
    options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:] if word.startswith("--"))
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    unknown = set(options) - set(OPTIONS)
    if unknown:
        sys.exit(f"morph_qemu: option --{min(unknown)} is not known; {', '.join('--' + name for name in OPTIONS)} are")
    morphs = words[1] if len(words) > 1 else "20"
    for name, value in (("MORPHS", morphs), *options.items()):
        if not value.isdecimal() or (int(value) == 0 and name != "criu"):
            sys.exit(f"morph_qemu: {name} is {value!r}; a number was expected, 1 or more, or for criu 0")
    Bench(words[0], int(morphs), OPTIONS | options).run()


main()
