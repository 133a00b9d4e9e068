#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""morph.py KMORPH [MORPHS] [--state=64,256] [--connections=10,100] [--dirty=0]

The blackout of morphs on the local host, as clients see it: kmorph-kv-client writes on many connections and checks every answer.
Handed over: the time from the last answer of the old kernel to the first of the new one, on whichever connections. Gap: the longest
time between two answers, on whichever connections, from before the new kernel is begun until the old one is gone, beside the longest
in as much time without a morph. Wait: the longest that one request waited for its answer in a morph. How fast
the first round moves the state, beside socat with as many bytes over a Unix socket, which neither compares nor writes them twice.
Writes a table and an SVG to target/bench-morph.
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time


def image(path, release):
    """All that host local reads of a kernel: the setup header of Documentation/arch/x86/boot.rst."""
    data = bytearray(0x1000)
    struct.pack_into("<IH", data, 0x202, 0x53726448, 0x20F)
    struct.pack_into("<H", data, 0x20E, 0x400)
    text = (release + " (bench) #1 SMP").encode()
    data[0x600 : 0x600 + len(text)] = text
    with open(path, "wb") as file:
        file.write(data)
    return path


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))]


def socat(scratch, mebibytes):
    """Bytes per second of a file in memory to another through a Unix socket."""
    source, sink, path = "/dev/shm/kmorph-bench-in", "/dev/shm/kmorph-bench-out", f"{scratch}/socat.sock"
    with open(source, "wb") as file:
        for _ in range(mebibytes):
            file.write(os.urandom(1 << 20))
    try:
        listener = subprocess.Popen(["socat", "-u", "-b262144", f"UNIX-LISTEN:{path}", f"OPEN:{sink},creat,trunc"])
        while not os.path.exists(path):
            time.sleep(0.01)
        began = time.monotonic()
        subprocess.run(["socat", "-u", "-b262144", f"OPEN:{source}", f"UNIX-CONNECT:{path}"], check=True)
        listener.wait()
        return (mebibytes << 20) / (time.monotonic() - began)
    finally:
        for name in (source, sink):
            if os.path.exists(name):
                os.unlink(name)


class Client:
    def __init__(self, home, port, connections):
        rate = max(1, min(1000, 10000 // connections))
        self.process = subprocess.Popen(
            [f"{home}/libexec/kmorph-kv-client", f"--connect=127.0.0.1:{port}", f"--connections={connections}", f"--rate={rate}", "--real-time"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def since_last(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        last = json.loads(self.process.stdout.readline())
        if self.process.wait() != 0:
            sys.exit(f"morph: not every answer was right: {last}")


def measure(home, kernels, state, connections, dirty, morphs):
    def ctl(*words):
        return subprocess.run([f"{home}/bin/kmorphctl", *words], capture_output=True, text=True, check=True)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [f"{home}/libexec/kmorph-kv", f"--listen=127.0.0.1:{port}", f"--state={state}", f"--dirty={dirty}"]
    ctl("spawn", "bench", f"--kernel={kernels[0]}", *[f"--workload={word}" for word in words])
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    client = Client(home, port, connections)
    overs, waits, gaps, still, totals, base, rates = [], [], [], [], [], [], []
    steps = {}
    for number in range(morphs + 3):
        client.since_last()
        began = time.monotonic()
        ctl("morph", "bench", f"--kernel={kernels[(number + 1) % 2]}", "--auto-commit")
        total = time.monotonic() - began
        during = client.since_last()
        status = json.loads(ctl("morph", "status", "bench", "-o", "json").stdout)
        client.since_last()
        time.sleep(total)
        without = client.since_last()
        if number >= 3:  # the first run in a cold JVM
            overs.append(during["hand_over_us"] / 1000)
            waits.append(during["wait_us"] / 1000)
            gaps.append(during["gap_us"] / 1000)
            still.append(status["blackout_ms"])
            rates.append(status["transfer_bytes_per_second"])
            for step in status["steps"]:
                name, micros, _ = step.rsplit(" ", 2)
                steps.setdefault(name, []).append(int(micros) / 1000)
            totals.append(total * 1000)
            base.append(without["gap_us"] / 1000)
    client.end()
    ctl("terminate", "bench", "--force")
    return {"state": state, "connections": connections, "dirty": dirty, "overs": overs, "waits": waits, "gaps": gaps, "still": still, "totals": totals, "base": base, "rates": rates, "steps": steps}


def svg(path, rows):
    width, height, left = 760, 40 * len(rows) + 60, 260
    most = max(max(row["overs"]) for row in rows) or 1
    scale = (width - left - 20) / most
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">']
    for index, row in enumerate(rows):
        y = 40 * index + 30
        label = f'{row["state"]} MiB, {row["connections"]} connections, {row["dirty"]} pages/s'
        parts.append(f'<text x="5" y="{y + 4}">{label}</text>')
        for over in row["overs"]:
            parts.append(f'<circle cx="{left + over * scale:.1f}" cy="{y}" r="3" fill="#2060a0" fill-opacity="0.4"/>')
        middle = left + quantile(row["overs"], 0.5) * scale
        parts.append(f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{y - 12}" y2="{y + 12}" stroke="black"/>')
    parts.append(f'<text x="{left}" y="{height - 10}">last answer of the old kernel to first of the new one, 0 to {most:.1f} ms; line: median</text></svg>')
    with open(path, "w") as file:
        file.write("\n".join(parts))


def main():
    options = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--"))
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    morphs = int(words[1]) if len(words) > 1 else 200
    states = [int(text) for text in options.get("state", "64,256,1024").split(",")]
    counts = [int(text) for text in options.get("connections", "10,100,1000").split(",")]
    dirties = [int(text) for text in options.get("dirty", "0,1000").split(",")]
    scratch = tempfile.mkdtemp(prefix="kmorph-bench-")
    home = f"{scratch}/kmorph"
    shutil.copytree(words[0], home, symlinks=True)
    for file, line in (("ssh", "port = 0"), ("host-local", "isolate = false"), ("morph", "provisional.seconds = 0")):
        with open(f"{home}/etc/org.kmorph.{file}.cfg", "a") as configuration:
            configuration.write(f"\n{line}\n")
    kernels = [image(f"{scratch}/a", "6.1.0-a"), image(f"{scratch}/b", "6.12.0-b")]
    subprocess.run([f"{home}/bin/kmorphctl", "daemon", "start"], check=True, stdout=subprocess.DEVNULL)
    rows = []
    try:
        cases = [(states[0], counts[0], dirties[0])]
        cases += [(state, counts[0], dirties[0]) for state in states[1:]]
        cases += [(states[0], count, dirties[0]) for count in counts[1:]]
        cases += [(states[0], counts[0], dirty) for dirty in dirties[1:]]
        for case in cases:
            rows.append(measure(home, kernels, *case, morphs))
            rows[-1]["socat"] = [socat(scratch, case[0]) for _ in range(3)]
            print(f"measured {case}", file=sys.stderr)
    finally:
        subprocess.run([f"{home}/bin/kmorphctl", "terminate", "bench", "--force"], capture_output=True)
        subprocess.run([f"{home}/bin/kmorphctl", "daemon", "stop"], capture_output=True)
        shutil.rmtree(scratch)
    head = f"{'state':>9} {'conns':>6} {'dirty/s':>8} {'morphs':>7} | {'over p50':>9} {'p90':>9} {'p99.9':>9} {'max':>9} | {'gap p50':>9} {'p90':>9} {'p99.9':>9} {'max':>9} | {'none p50':>9} {'max':>9} | {'wait p50':>9} | {'still p50':>9} | {'total p50':>9}"
    lines = [head + "   (ms)"]
    for row in rows:
        overs, gaps, base = row["overs"], row["gaps"], row["base"]
        lines.append(
            f"{row['state']:>5} MiB {row['connections']:>6} {row['dirty']:>8} {len(gaps):>7} |"
            f" {quantile(overs, .5):9.2f} {quantile(overs, .9):9.2f} {quantile(overs, .999):9.2f} {max(overs):9.2f} |"
            f" {quantile(gaps, .5):9.2f} {quantile(gaps, .9):9.2f} {quantile(gaps, .999):9.2f} {max(gaps):9.2f} |"
            f" {quantile(base, .5):9.2f} {max(base):9.2f} | {quantile(row['waits'], .5):9.2f} | {quantile(row['still'], .5):9.2f} | {quantile(row['totals'], .5):9.0f}"
        )
    for row in rows:
        lines.append(
            f"state of {row['state']} MiB, {row['connections']} connections, {row['dirty']} pages/s: moved at"
            f" {quantile(row['rates'], .5) / 1e6:.0f} MB/s, socat {quantile(row['socat'], .5) / 1e6:.0f} MB/s (medians)"
        )
    for row in rows:
        lines.append(f"steps of {row['state']} MiB, {row['connections']} connections, {row['dirty']} pages/s: p50, p99 (ms)")
        lines += [f"  {name:40} {quantile(values, .5):8.3f} {quantile(values, .99):8.3f}" for name, values in row["steps"].items()]
    print("\n".join(lines))
    os.makedirs("target/bench-morph", exist_ok=True)
    with open("target/bench-morph/table.txt", "w") as file:
        file.write("\n".join(lines) + "\n")
    with open("target/bench-morph/morphs.json", "w") as file:
        json.dump(rows, file)
    svg("target/bench-morph/morphs.svg", rows)


main()
