#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""heal_qemu.py KMORPH [PANICS]

How long the work of a kernel that panics is away, less the time that its successor takes to boot: Debian's 6.12 on a machine of QEMU,
whose workload makes it panic a few seconds after each start, healed by the daemon without saving its memory. In milliseconds from when
QEMU had the panic from pvpanic: "detected" until the instance is FAILED, "healed" until its successor's start begins, fenced and given
back what there was, all of it in the journal; "back" until the successor's first heartbeat is answered; "boot" is back less healed. Of a time in
the log, whose last digit is the millisecond, the end of that is taken: no value is too short.
Needs ./kmorph kernels.
"""
import datetime
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import guests

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PANIC_AFTER_S = 5
DEADLINE_S = 180
LOG_DIGIT_MS = 1


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def main():
    panics = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    kernel = guests.kernels() / "6.12/vmlinuz"
    scratch = tempfile.mkdtemp(prefix="kmorph-bench-")
    home = f"{scratch}/kmorph"
    shutil.copytree(sys.argv[1], home, symlinks=True)
    with open(f"{home}/etc/org.kmorph.ssh.cfg", "a") as ssh:
        ssh.write("\nport = 0\n")

    def ctl(*words):
        done = subprocess.run([f"{home}/bin/kmorphctl", *words], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"heal_qemu: kmorphctl {' '.join(words)}: {done.stderr}")
        return done.stdout

    subprocess.run(["gcc", "-static", "-O1", "-o", f"{scratch}/trouble", f"{ROOT}/kernel/kerf-vsock/tests/trouble.c"], check=True)
    files = guests.archive(f"{scratch}/trouble.cpio", [f"{scratch}/trouble"])
    ctl("daemon", "start")
    try:
        for setting, value in (("heal-max-crashes", "1000"), ("heal-backoff", "0s"), ("heal-capture", "disabled")):
            ctl("policy", "default", setting, value)
        ctl("spawn", "bench", "--host=qemu", f"--kernel={kernel}", "--memory=160M", "--heartbeat-timeout=20s", f"--initramfs={files}",
            "--workload=/trouble", "--workload=panic", f"--workload={PANIC_AFTER_S}")
        end = time.monotonic() + DEADLINE_S * panics
        while len(over := [one for one in json.loads(ctl("recovery-log", "-o", "json")) if one["state"] == "RECOVERY_COMPLETE"]) < panics:
            if time.monotonic() > end:
                sys.exit(f"heal_qemu: {len(over)} recoveries in {DEADLINE_S * panics} s")
            time.sleep(1)
        time.sleep(PANIC_AFTER_S)  # the last one's first heartbeat
        log = open(f"{home}/log/kmorphd.log").read()
    finally:
        subprocess.run([f"{home}/bin/kmorphctl", "terminate", "bench", "--force"], capture_output=True)
        subprocess.run([f"{home}/bin/kmorphctl", "daemon", "stop"], capture_output=True)
        shutil.rmtree(scratch)
    healthy = [at(found) + LOG_DIGIT_MS for found in re.findall(r'^(\S+) .*instance "bench" was \w+ and is HEALTHY', log, re.M)]
    failed = [at(found) + LOG_DIGIT_MS for found in re.findall(r'^(\S+) .*instance "bench" was \w+ and is FAILED', log, re.M)]
    rows = {"detected": [], "healed: a successor is started": [], "back: its first heartbeat answered": [], "boot of the successor": []}
    for recovery in over[:panics]:
        panic = at(re.search(r"its kernel panicked at ([^;]+);", recovery["reason"])[1])
        started = at(next(step["at"] for step in recovery["steps"] if step["state"] == "RESTORING_WORK"))
        back = next((moment for moment in healthy if moment > started), None)
        detected = next((moment for moment in failed if moment >= panic), None)
        if back is None or detected is None:
            sys.exit(f"heal_qemu: the log does not tell of the recovery at {recovery['steps'][0]['at']}")
        for name, value in zip(rows, (detected - panic, started - panic, back - panic, back - started)):
            rows[name].append(value)
    print(f"{panics} panics of Linux 6.12 below QEMU, milliseconds from when QEMU had it")
    print(f"{'':44}{'p50':>10}{'p99':>10}{'least':>10}{'most':>10}")
    for name, values in rows.items():
        ordered = sorted(values)
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        print(f"{name:44}{statistics.median(ordered):>10.1f}{p99:>10.1f}{ordered[0]:>10.1f}{ordered[-1]:>10.1f}")


main()
