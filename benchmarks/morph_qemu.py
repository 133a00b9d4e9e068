#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""morph_qemu.py KMORPH [MORPHS] [--state=8] [--connections=4] [--rate=20]

Morphs between real kernels: Debian's 6.1 and 6.12 in turn, each on a machine of QEMU, with a client in a third kernel that writes and
checks every answer. Prints how long the workload stood still, and the longest gap between two answers that the client saw in the
seconds of a morph, beside that of four seconds without one. Writes target/bench-morph/qemu.txt. Needs ./kmorph kernels.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import guests

SERVER, PORT = "10.77.0.1", 7000


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))]


def main():
    options = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--"))
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    morphs = int(words[1]) if len(words) > 1 else 20
    scratch = tempfile.mkdtemp(prefix="kmorph-bench-")
    home = f"{scratch}/kmorph"
    shutil.copytree(words[0], home, symlinks=True)
    group = f"239.192.{random.randrange(256)}.{random.randrange(256)}:{random.randrange(10000, 60000)}"
    for file, line in (("ssh", "port = 0"), ("host-qemu", f"network = {group}"), ("morph", "provisional.seconds = 0")):
        with open(f"{home}/etc/org.kmorph.{file}.cfg", "a") as configuration:
            configuration.write(f"\n{line}\n")

    def ctl(*command, check=True):
        done = subprocess.run([f"{home}/bin/kmorphctl", *command], capture_output=True, text=True)
        if check and done.returncode != 0:
            sys.exit(f"morph_qemu: kmorphctl {' '.join(command)}: {done.stderr}")
        return done.stdout

    def spawn(name, series, address, *workload):
        ctl("spawn", name, "--host=qemu", f"--kernel={guests.kernels()}/{series}/vmlinuz", "--memory=160M", "--heartbeat-timeout=20s",
            f"--address={address}/24", f"--initramfs={files}", *[f"--workload={word}" for word in workload])

    def said():
        """What the client has said so far: a line for each second."""
        return [json.loads(line) for line in ctl("console", "client").splitlines() if line.startswith('{"answers"')]

    files = guests.archive(f"{scratch}/kv.cpio", [f"{home}/libexec/kmorph-kv", f"{home}/libexec/kmorph-kv-client"])
    ctl("daemon", "start")
    gaps, base, still, totals, steps = [], [], [], [], {}
    try:
        ctl("policy", "default", "auto-heal", "disabled")
        spawn("server", "6.1", SERVER, "/kmorph-kv", f"--listen={SERVER}:{PORT}", f"--state={options.get('state', '8')}")
        time.sleep(5)
        spawn("client", "6.12", "10.77.0.2", "/kmorph-kv-client", f"--connect={SERVER}:{PORT}", "--every=1", "--seconds=100000",
              f"--connections={options.get('connections', '4')}", f"--rate={options.get('rate', '20')}")
        time.sleep(5)
        for number in range(morphs):
            before, began = len(said()), time.monotonic()
            ctl("morph", "server", f"--kernel={guests.kernels()}/{('6.12', '6.1')[number % 2]}/vmlinuz", "--auto-commit")
            totals.append((time.monotonic() - began) * 1000)
            time.sleep(1.5)
            during = len(said())
            status = json.loads(ctl("morph", "status", "server", "-o", "json"))
            still.append(status["blackout_ms"])
            for step in status["steps"]:
                name, micros, _ = step.rsplit(" ", 2)
                steps.setdefault(name, []).append(int(micros) / 1000)
            time.sleep(4)
            lines = said()
            gaps.append(max(line["gap_us"] for line in lines[before:during]) / 1000)
            base.append(max(line["gap_us"] for line in lines[during:]) / 1000)
            print(f"morph {number + 1}: still {still[-1]:.1f} ms, gap {gaps[-1]:.1f} ms, without {base[-1]:.1f} ms", file=sys.stderr)
        last = said()[-1]
    finally:
        for name in ("client", "server"):
            ctl("terminate", name, "--force", check=False)
        ctl("daemon", "stop", check=False)
        shutil.rmtree(scratch)
    lines = [f"{morphs} morphs between 6.1 and 6.12 under QEMU, {options.get('connections', '4')} connections; milliseconds"]
    for name, values in (("workload stood still", still), ("client's longest gap", gaps), ("the same without one", base), ("whole morph", totals)):
        lines.append(f"  {name:24} p50 {quantile(values, .5):9.1f}  p99 {quantile(values, .99):9.1f}  max {max(values):9.1f}")
    lines.append(f"  answers in all: wrong {last['wrong']}, connections closed {last['closed']}")
    lines += [f"  {name:40} p50 {quantile(values, .5):8.3f}  p99 {quantile(values, .99):8.3f}" for name, values in steps.items()]
    print("\n".join(lines))
    os.makedirs("target/bench-morph", exist_ok=True)
    with open("target/bench-morph/qemu.txt", "w") as file:
        file.write("\n".join(lines) + "\n")
    if last["wrong"] or last["closed"]:
        sys.exit("morph_qemu: not every answer was right")


main()
