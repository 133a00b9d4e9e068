# SPDX-License-Identifier: Apache-2.0
"""kmorph-agent, built with sanitizers, from outside over a Unix socket: what docs/agent.md and docs/kmp.md promise."""

import hashlib
import itertools
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import kmp

HERE = pathlib.Path(__file__).resolve().parent
CHECKED = HERE.parent / "target/kmorph-agent-checked"
ENOUGH_S = 20
DEADLINE_S = 5
"""docs/kmp.md: for half a frame, and for a peer that does not read"""


def wait_for(condition, what):
    end = time.monotonic() + ENOUGH_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(what + " did not come about")
        time.sleep(0.005)


def state_of(pid):
    """R, S, T and so on; empty when it is not there."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children_of(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class AgentTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="kmorph-agent-"))
        self.socket = str(self.directory / "agent.sock")
        self.process = None
        self.peers = []
        self.addCleanup(self.clean)

    def clean(self):
        for peer in self.peers:
            peer.close()
        if self.process:
            if self.process.poll() is None:
                self.process.terminate()
            try:
                self.assertEqual(self.process.wait(ENOUGH_S), 0, self.complaints())
            finally:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory)

    def complaints(self):
        return (self.directory / "stderr").read_text()

    def start(self, *options, workload=()):
        words = [CHECKED, "--instance=7", f"--listen=unix:{self.socket}", *options]
        with open(self.directory / "stderr", "w") as stderr:
            self.process = subprocess.Popen([*words, *(["--", *workload] if workload else [])], stdin=subprocess.DEVNULL, stderr=stderr)
        return wait_for(self.peer_if_it_listens, "an agent that listens")

    def peer_if_it_listens(self):
        self.assertIsNone(self.process.poll(), self.complaints())
        try:
            return self.peer()
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def peer(self):
        peer = kmp.Peer(self.socket, ENOUGH_S)
        self.peers.append(peer)
        return peer

    def workload_of(self, peer):
        return kmp.workload(peer.heartbeat(kmp.EVERYTHING).items[kmp.WORKLOAD])


class Heartbeats(AgentTest):
    def test_figures_are_those_of_proc(self):
        peer = self.start(f"--state={self.directory}")
        beat = peer.heartbeat(kmp.EVERYTHING)
        memory = dict(line.split(":") for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
        total, available = (int(memory[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
        boot_id = int(pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().replace("-", "")[:16], 16)
        uptime_s = float(pathlib.Path("/proc/uptime").read_text().split()[0])
        load1 = float(pathlib.Path("/proc/loadavg").read_text().split()[0])
        self.assertEqual((beat.instance, beat.memory_total, beat.boot_id), (7, total, boot_id))
        self.assertEqual(beat.cpu_count, len(os.sched_getaffinity(0)))
        self.assertAlmostEqual(beat.memory_available, available, delta=total / 5)
        self.assertAlmostEqual(beat.uptime_ms / 1000, uptime_s, delta=5)
        self.assertAlmostEqual(beat.load1 / 100, load1, delta=1)
        self.assertEqual(beat.items[kmp.KERNEL_RELEASE].decode(), os.uname().release)
        self.assertNotIn(kmp.WORKLOAD, beat.items)

    def test_use_of_the_processor_is_what_was_used(self):
        peer = self.start()
        peer.heartbeat()
        own = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) for _ in os.sched_getaffinity(0)]
        try:
            time.sleep(0.5)  # so long a time is measured
            self.assertGreater(peer.heartbeat().cpu_use, 8000)
        finally:
            for one in own:
                one.kill()
                one.wait()

    def test_a_small_write_is_measured_and_its_age_told(self):
        peer = self.start(f"--state={self.directory}")
        self.assertEqual(peer.heartbeat().flags, kmp.IO_UNMEASURED)  # it has just begun
        beat = wait_for(lambda: (beat := peer.heartbeat()).flags == 0 and beat, "a measured write")
        self.assertGreater(beat.io_us, 0)
        self.assertLess(beat.io_age_ms, ENOUGH_S * 1000)
        self.assertEqual((self.directory / "io-probe").stat().st_size, 4096)

    def test_without_a_place_to_write_none_is_measured(self):
        beat = self.start("--state=/nowhere").heartbeat()
        self.assertEqual((beat.flags, beat.io_us, beat.io_age_ms), (kmp.IO_UNMEASURED, 0, 0))

    def test_only_what_was_asked_for_comes_along(self):
        peer = self.start(workload=["/bin/sleep", "1000"])
        self.assertEqual(peer.heartbeat().items, {})
        self.assertEqual(list(peer.heartbeat(1 << 2).items), [kmp.AGENT_VERSION])
        self.assertEqual(list(peer.heartbeat(kmp.EVERYTHING).items),
                         [kmp.KERNEL_RELEASE, kmp.CAPABILITIES, kmp.AGENT_VERSION, kmp.WORKLOAD])

    def test_a_local_agent_boots_when_it_starts_and_has_the_release_it_is_told(self):
        peer = self.start("--local", "--kernel-release=9.9.9-test")
        first = peer.heartbeat(1)
        self.assertEqual(first.items[kmp.KERNEL_RELEASE], b"9.9.9-test")
        self.assertLess(first.uptime_ms, ENOUGH_S * 1000)
        self.assertEqual(peer.heartbeat().boot_id, first.boot_id)
        peer.close()
        self.process.terminate()
        self.assertEqual(self.process.wait(ENOUGH_S), 0)
        os.unlink(self.socket)
        self.assertNotEqual(self.start("--local").heartbeat().boot_id, first.boot_id)

    def test_a_control_group_bounds_memory_and_processors(self):
        group = self.directory / "group"
        group.mkdir()
        for name, text in {"memory.max": str(64 << 20), "memory.current": str(40 << 20), "cpu.max": "100000 100000",
                           "memory.stat": f"anon 1\ninactive_file {8 << 20}\n", "cpu.stat": "usage_usec 0\n"}.items():
            (group / name).write_text(text)
        beat = self.start(f"--cgroup={group}").heartbeat()
        self.assertEqual((beat.memory_total, beat.memory_available, beat.cpu_count), (64 << 20, 32 << 20, 1))


class Trouble(AgentTest):
    def test_a_stuck_writer_is_told_and_its_end_too(self):
        peer = self.start(f"--state={self.directory}")
        other = self.peer()
        (writer,) = children_of(self.process.pid)
        os.kill(writer, signal.SIGSTOP)
        self.addCleanup(lambda: state_of(writer) and os.kill(writer, signal.SIGCONT))
        beat = wait_for(lambda: (beat := peer.heartbeat()).flags & kmp.IO_STUCK and beat, "a stuck write")
        self.assertGreater(beat.io_us, 500_000)
        for told in (peer.status(), other.status()):
            self.assertEqual((told.instance, told.condition, told.severity, told.trouble), (7, kmp.WRITER_STUCK, kmp.WARNING, 4))
            self.assertGreater(told.value, told.limit)
        self.assertEqual(peer.heartbeat().agent_state, 3)  # degraded
        os.kill(writer, signal.SIGCONT)
        cleared = peer.status()
        self.assertEqual((cleared.condition, cleared.severity, cleared.trouble), (kmp.WRITER_STUCK, kmp.CLEARED, 0))
        self.assertEqual(peer.heartbeat().agent_state, 2)

    def test_a_writer_that_dies_is_replaced(self):
        peer = self.start(f"--state={self.directory}")
        (writer,) = children_of(self.process.pid)
        os.kill(writer, signal.SIGKILL)
        wait_for(lambda: peer.heartbeat().flags == 0, "a measured write")
        self.assertNotEqual(children_of(self.process.pid), [writer])

    def test_memory_pressure_grows_and_passes(self):
        group = self.directory / "group"
        group.mkdir()
        (group / "memory.max").write_text(str(64 << 20))
        (group / "memory.stat").write_text("anon 1\n")
        used = group / "memory.current"

        def leave(mib):
            # the agent reads the same file again: it is written in one piece, and as long as before
            with open(used, "r+" if used.exists() else "w") as file:
                file.write(f"{(64 - mib) << 20:010d}")

        leave(32)
        peer = self.start(f"--cgroup={group}")
        peer.heartbeat()
        for mib, severity, trouble in ((3, kmp.WARNING, 2), (1, kmp.CRITICAL, 2), (5, kmp.WARNING, 2), (6, kmp.CLEARED, 0)):
            leave(mib)
            told = peer.status()
            self.assertEqual((told.condition, told.severity, told.trouble), (kmp.MEMORY_PRESSURE, severity, trouble))
            self.assertEqual((told.value, told.limit), (mib << 20, 4 << 20))


class WorkloadControl(AgentTest):
    OPERATION = bytes(range(16))

    def test_it_runs_what_it_is_told_in_a_session_of_its_own(self):
        peer = self.start(workload=["/bin/sleep", "1000"])
        told = self.workload_of(peer)
        self.assertEqual((told.exit_status, told.starts), (-1, 1))
        self.assertEqual(os.getsid(told.pid), told.pid)
        self.assertEqual(peer.heartbeat().workload_state, kmp.RUNNING)

    def test_what_cannot_be_run_has_failed(self):
        peer = self.start(workload=["/nowhere/program"])
        self.assertEqual(peer.heartbeat().workload_state, kmp.FAILED)
        self.assertEqual(self.workload_of(peer).exit_status, 127)
        self.assertIn("cannot run /nowhere/program: No such file or directory", self.complaints())

    def test_an_end_is_told_with_its_status(self):
        for command, status, state, severity, text in (
                ("read x < go", 0, kmp.EXITED, kmp.WARNING, b"the workload ended with status 0"),
                ("read x < go; exit 3", 3, kmp.FAILED, kmp.CRITICAL, b"the workload ended with status 3"),
                ("read x < go; kill -9 $$", 256 + 9, kmp.FAILED, kmp.CRITICAL, b"the workload was killed by signal 9")):
            with self.subTest(command):
                go = self.directory / "go"
                os.mkfifo(go)
                peer = self.start(workload=["/bin/sh", "-c", f"cd {self.directory}; {command}"])
                peer.heartbeat()
                go.write_text("\n")
                told = peer.status()
                self.assertEqual((told.condition, told.severity, told.workload_state, told.value, told.trouble),
                                 (kmp.WORKLOAD_ENDED, severity, state, status, 8))
                self.assertEqual(told.items[kmp.TEXT], text)
                self.assertEqual(kmp.workload(told.items[kmp.WORKLOAD])[:3], (0, status, 1))
                self.assertEqual(peer.heartbeat().workload_state, state)
                peer.close()
                self.process.terminate()
                self.assertEqual(self.process.wait(ENOUGH_S), 0)
                go.unlink()
                os.unlink(self.socket)

    def test_what_its_group_has_started_ends_with_it(self):
        peer = self.start(workload=["/bin/sh", "-c", "sleep 1000 & echo $! > %s/child; wait" % self.directory])
        child = int(wait_for(lambda: (p := self.directory / "child").exists() and p.read_text().strip(), "a child"))
        os.kill(self.workload_of(peer).pid, signal.SIGKILL)
        wait_for(lambda: state_of(child) in ("", "Z"), "the child's end")

    def test_retired_it_ends_in_order_and_is_not_mourned(self):
        peer = self.start(workload=["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.01; done"])
        answer = peer.commit(self.OPERATION, kmp.RETIRE, 10_000_000)
        self.assertEqual((answer.type, answer.payload[:17]), (kmp.MORPH_COMMIT | kmp.ANSWER, self.OPERATION + b"\6"))
        self.assertEqual(peer.heartbeat().workload_state, kmp.STOPPED)
        again = peer.commit(self.OPERATION, kmp.RETIRE, 10_000_000)
        self.assertEqual(again.payload, answer.payload)
        self.assertEqual(kmp.error(peer.commit(bytes(16), kmp.RETIRE, 1).payload).code, kmp.BUSY)
        self.assertEqual(peer.told, [])

    def test_retired_it_is_killed_after_its_grace(self):
        peer = self.start(workload=["/bin/sh", "-c", "trap '' TERM; echo > %s/ready; while :; do sleep 0.01; done" % self.directory])
        wait_for((self.directory / "ready").exists, "the trap")
        pid = self.workload_of(peer).pid
        begun = time.monotonic()
        peer.commit(self.OPERATION, kmp.RETIRE, 300_000)
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)
        self.assertEqual(state_of(pid), "")
        self.assertEqual(self.workload_of(peer).exit_status, 256 + signal.SIGKILL)

    def test_heartbeats_go_on_while_it_takes_its_time_to_end(self):
        peer = self.start(workload=["/bin/sh", "-c", "trap '' TERM; echo > %s/ready; while :; do sleep 0.01; done" % self.directory])
        wait_for((self.directory / "ready").exists, "the trap")
        peer.send(kmp.frame(kmp.MORPH_COMMIT, self.OPERATION + struct.pack("<B3xI", kmp.RETIRE, 1_500_000), 9))
        for _ in range(10):
            self.assertEqual(peer.heartbeat().workload_state, kmp.RUNNING)
        self.assertEqual(peer.answer().sequence, 9)

    def test_held_it_waits_to_be_promoted(self):
        peer = self.start("--hold", workload=["/bin/sleep", "1000"])
        self.assertEqual(peer.heartbeat().workload_state, kmp.HELD)
        self.assertEqual(self.workload_of(peer)[:3], (0, -1, 0))
        peer.ask(kmp.MORPH_PREPARE, self.OPERATION + struct.pack("<BBHIII", 2, 0, 1, 60000, 0xFFFFFFFF, 0))
        peer.commit(self.OPERATION, kmp.ACTIVATE)
        self.assertEqual(peer.heartbeat().workload_state, kmp.RUNNING)

    def test_without_a_workload_nothing_is_retired(self):
        peer = self.start()
        self.assertEqual(kmp.error(peer.commit(self.OPERATION, kmp.RETIRE, 1).payload).code, kmp.NO_WORKLOAD)

    def test_it_takes_its_workload_with_it(self):
        peer = self.start(workload=["/bin/sleep", "1000"])
        pid = self.workload_of(peer).pid
        self.process.terminate()
        self.assertEqual(self.process.wait(ENOUGH_S), 0)
        self.assertEqual(state_of(pid), "")

    def test_killed_it_takes_its_workload_with_it(self):
        peer = self.start(workload=["/bin/sleep", "1000"])
        pid = self.workload_of(peer).pid
        self.process.kill()
        self.process.wait()
        self.process = None
        wait_for(lambda: state_of(pid) in ("", "Z"), "the workload's end")


class Supervision(AgentTest):
    """--supervise: the process that was started is the supervisor, its child the agent."""

    AGAIN_S = 5
    """docs/agent.md: the first wait before it is started again"""

    def begin(self, workload):
        peer = self.start("--supervise", workload=["/bin/sh", "-c", f"cd {self.directory}; {workload}"])
        return peer, self.workload_of(peer).pid

    def agent(self):
        return wait_for(lambda: children_of(self.process.pid), "an agent")[0]

    def kill_agent(self):
        agent = self.agent()
        os.kill(agent, signal.SIGKILL)
        wait_for(lambda: state_of(agent) == "", "the agent's end")
        os.unlink(self.socket)

    def next_agent(self):
        return wait_for(self.peer_if_it_listens, "another agent")

    def test_a_killed_agent_is_started_again_and_takes_up_the_workload_that_went_on(self):
        peer, workload = self.begin("while :; do sleep 0.01; done")
        begun = time.monotonic()
        self.kill_agent()
        peer = self.next_agent()
        self.assertGreater(time.monotonic() - begun, self.AGAIN_S - 0.5)
        self.assertEqual(self.workload_of(peer)[:3], (workload, -1, 1))
        self.assertEqual(peer.heartbeat().workload_state, kmp.RUNNING)
        os.kill(workload, signal.SIGKILL)
        self.assertEqual(peer.status().items[kmp.TEXT], b"the workload was killed by signal 9")
        self.assertEqual(self.workload_of(peer)[:3], (0, 256 + 9, 1))

    def test_an_end_that_no_agent_saw_is_told_by_the_next(self):
        go = self.directory / "go"
        os.mkfifo(go)
        _, workload = self.begin("read x < go; exit 3")
        self.kill_agent()
        go.write_text("\n")
        wait_for(lambda: state_of(workload) == "", "the workload's end")
        peer = self.next_agent()
        self.assertEqual(self.workload_of(peer)[:3], (0, 3, 1))
        self.assertEqual(peer.heartbeat().workload_state, kmp.FAILED)

    def test_told_to_end_while_there_is_no_agent_it_ends_the_workload_in_order(self):
        _, workload = self.begin("trap 'echo > ended; exit 0' TERM; while :; do sleep 0.01; done")
        self.kill_agent()
        self.process.terminate()
        self.assertEqual(self.process.wait(ENOUGH_S), 0, self.complaints())
        self.assertEqual(state_of(workload), "")
        self.assertTrue((self.directory / "ended").exists())

    def test_what_a_killed_agent_had_retired_ends(self):
        peer, workload = self.begin("trap '' TERM; while :; do sleep 0.01; done")
        peer.send(kmp.frame(kmp.MORPH_COMMIT, bytes(range(16)) + struct.pack("<B3xI", kmp.RETIRE, 3_600_000_000), 9))
        peer.heartbeat()
        self.kill_agent()
        peer = self.next_agent()
        wait_for(lambda: state_of(workload) == "", "the workload's end")
        self.assertEqual(peer.heartbeat().workload_state, kmp.STOPPED)

    def test_one_that_cannot_start_is_not_tried_again(self):
        words = [CHECKED, "--supervise", "--instance=7", "--listen=unix:/nowhere/agent.sock"]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ENOUGH_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/agent.sock", done.stderr)

    def test_a_local_agent_is_its_kernel_and_is_not_supervised(self):
        words = [CHECKED, "--supervise", "--local", "--instance=7", f"--listen=unix:{self.socket}"]
        self.assertEqual(subprocess.run(words, capture_output=True, timeout=ENOUGH_S).returncode, 2)


class HostilePeers(AgentTest):
    def hung_up(self, peer):
        """What came before the agent closed the connection."""
        frames = []
        try:
            while (came := peer.next()) is not None:
                frames.append(came)
        except ConnectionResetError:
            pass
        return frames

    def test_one_that_says_something_else_is_hung_up_on_without_a_word(self):
        good = self.start()
        for what, data in (("http", b"GET / HTTP/1.1\r\n"), ("magic", kmp.frame(1, bytes(8), magic=0x4B4D5001)),
                           ("checksum", kmp.frame(1, bytes(8), crc_off_by=1)), ("zeros", bytes(5000)), ("one byte", b"K")):
            with self.subTest(what):
                peer = self.peer()
                peer.send(data)
                self.assertEqual(self.hung_up(peer), [])
                good.heartbeat()

    def test_another_version_is_told_which_are_spoken(self):
        peer = self.start()
        peer.send(kmp.frame(1, bytes(8), version=2, sequence=44))
        (told,) = self.hung_up(peer)
        self.assertEqual(told.sequence, 44)
        self.assertEqual(kmp.error(told.payload), (kmp.UNSUPPORTED_VERSION, 1, 1, 1, 2))

    def test_a_length_beyond_the_limit_is_refused_before_it_comes(self):
        self.start()
        for msg_type, length, limit in ((kmp.HEARTBEAT, 224, 223), (kmp.MORPH_COMMIT, (1 << 20) + 1, 1 << 20), (0x4444, 0xFFFFFFFF, 1 << 20)):
            with self.subTest(f"{msg_type:#x}"):
                peer = self.peer()
                peer.send(kmp.frame(msg_type, length=length))
                (told,) = self.hung_up(peer)
                self.assertEqual(kmp.error(told.payload), (kmp.TOO_LARGE, msg_type, 1, 1, limit))

    def test_what_is_malformed_is_refused_at_its_offset_and_the_connection_stays(self):
        peer = self.start()
        for payload, at in ((b"", 0), (bytes(7), 7), (bytes(8) + b"\1", 8), (bytes(8) + struct.pack("<HH", 9, 5) + b"1234", 8),
                            (bytes(8) + struct.pack("<HH", 9, 0) + struct.pack("<HH", 2, 4) + bytes(4), 12)):
            self.assertEqual(peer.refusal(kmp.HEARTBEAT, payload), (kmp.MALFORMED, kmp.HEARTBEAT, 1, 1, at))
        peer.heartbeat()

    def test_types_that_it_does_not_know_or_cannot_do_are_refused_and_answers_ignored(self):
        peer = self.start()
        self.assertEqual(peer.refusal(0x0666, b"what"), (kmp.UNSUPPORTED_TYPE, 0x0666, 1, 1, 0x0666))
        self.assertEqual(peer.refusal(kmp.VMCORE_DATA, bytes(48)).code, kmp.NOT_SUPPORTED)
        for ignored in (0x8666, kmp.HEARTBEAT | kmp.ANSWER, 0x8203, kmp.ERROR, kmp.RETRY, kmp.HEALTH_STATUS):
            peer.send(kmp.frame(ignored, bytes(64)))
        peer.heartbeat()  # and nothing before it

    def test_any_pieces_make_a_frame(self):
        peer = self.start()
        for byte in kmp.heartbeat_request(sequence=3) + kmp.heartbeat_request(sequence=4)[:20]:
            peer.send(bytes([byte]))
        self.assertEqual(peer.answer().sequence, 3)
        peer.send(kmp.heartbeat_request(sequence=4)[20:])
        self.assertEqual(peer.answer().sequence, 4)

    def test_the_largest_frame_is_taken_whole(self):
        peer = self.start()
        self.assertEqual(peer.refusal(0x0666, bytes(1 << 20)).code, kmp.UNSUPPORTED_TYPE)
        peer.heartbeat()

    def test_half_a_frame_is_dropped_at_its_deadline_and_one_that_never_reads(self):
        good = self.start()
        half, deaf = self.peer(), self.peer()
        begun = time.monotonic()
        half.send(kmp.heartbeat_request()[:-1])
        deaf.socket.setblocking(False)
        flood = b"".join(kmp.heartbeat_request(sequence=i) for i in range(1000))
        sent = 0
        with self.assertRaises((BlockingIOError, BrokenPipeError, ConnectionResetError)):
            while sent < 64 << 20:
                sent += deaf.socket.send(flood)
        good.heartbeat()
        self.assertEqual(self.hung_up(half), [])
        self.assertGreaterEqual(time.monotonic() - begun, DEADLINE_S - 0.01)
        self.assertLess(time.monotonic() - begun, 2 * DEADLINE_S)
        deaf.socket.settimeout(ENOUGH_S)
        self.assertGreater(len(self.hung_up(deaf)), 0)
        good.heartbeat()

    def test_others_are_not_starved_by_one_that_floods(self):
        good = self.start()
        flood = self.peer()
        requests = b"".join(kmp.heartbeat_request(sequence=i) for i in range(250))

        def send():
            try:
                for _ in range(400):
                    flood.send(requests)
                flood.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # hung up on, for not reading as fast as it asks

        def read():
            try:
                while flood.socket.recv(1 << 20):
                    pass
            except OSError:
                pass

        threads = [threading.Thread(target=work) for work in (send, read)]
        for thread in threads:
            thread.start()
        answered = 0
        while any(thread.is_alive() for thread in threads):
            good.heartbeat()
            answered += 1
        self.assertGreater(answered, 0)

    def test_connections_over_the_limit_are_closed_at_once(self):
        first = self.start()
        others = [self.peer() for _ in range(7)]
        for peer in (first, *others):
            peer.heartbeat()
        self.assertEqual(self.hung_up(self.peer()), [])
        others[3].close()
        wait_for(lambda: self.answers_somebody(), "a free place")

    def answers_somebody(self):
        peer = self.peer()
        try:
            peer.heartbeat()
            return True
        except (AssertionError, OSError):
            return False

    def test_one_that_leaves_in_the_middle_harms_nobody(self):
        good = self.start(workload=["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.01; done"])
        for i in range(50):
            peer = self.peer()
            # asks for what is answered later, and for what is answered now, and is gone
            peer.send(kmp.frame(kmp.MORPH_COMMIT, WorkloadControl.OPERATION + struct.pack("<B3xI", kmp.RETIRE, 200_000)))
            peer.send(kmp.heartbeat_request()[:i % 41])
            peer.close()
        good.heartbeat()
        wait_for(lambda: good.heartbeat().workload_state == kmp.STOPPED, "the workload's end")

    def test_whoever_asks_is_told_which_instance_it_is(self):
        """A peer cannot make an agent say that it is another: the id is the agent's own option."""
        peer = self.start()
        peer.send(kmp.frame(kmp.HEALTH_STATUS, struct.pack("<IHBBQQQII", 99, 1, 2, 0, 5, 1, 1, 2, 0)))
        beat = peer.heartbeat()
        self.assertEqual((beat.instance, beat.trouble, beat.agent_state), (7, 0, 2))


class Shares(AgentTest):
    """A dead instance's memory, read for the daemon."""

    OPERATION = bytes(range(50, 66))

    def memory(self, pages):
        """Every third page is noise, every third zeros, every third was never written."""
        path = self.directory / "memory"
        with open(path, "wb") as file:
            file.truncate(pages * 4096)
            for page in range(0, pages, 3):
                file.seek(page * 4096)
                file.write(os.urandom(4096) + bytes(4096))
        return path

    def take(self, peer, memory, digest, stop_after=None, offset=0):
        """Takes a share in; heartbeats go on meanwhile. Returns what COMPLETE says, None when it stopped before."""
        beats = 0
        while True:
            came = peer.answer()
            self.assertIsNotNone(came, self.complaints())
            if came.type == kmp.HEARTBEAT | kmp.ANSWER:
                beats += 1
                continue
            if came.type == kmp.VMCORE_COMPLETE:
                self.assertGreater(beats, 0)
                peer.send(kmp.frame(came.type | kmp.ANSWER, self.OPERATION + struct.pack("<BBHI", 11, 0, 0, 0), came.sequence))
                return came.payload
            self.assertEqual(came.type, kmp.VMCORE_DATA)
            at, extents = kmp.vmcore_data(came.payload)
            self.assertEqual(at, offset)
            for address, length, flags, data in extents:
                digest.update(struct.pack("<QII", address, length, flags) + data)
                memory.append((address, length, flags, data))
                offset += length
            peer.send(kmp.heartbeat_request(sequence=7))
            if stop_after and offset >= stop_after:
                return None
            peer.send(kmp.frame(came.type | kmp.ANSWER, kmp.acknowledgement(self.OPERATION, offset), came.sequence))

    def check(self, complete, path, memory, digest):
        share, outcome, stream, unreadable = struct.unpack_from("<IB3xQQ", complete, 16)
        self.assertEqual((share, outcome, stream, unreadable), (1, 1, path.stat().st_size, 0))
        self.assertEqual(kmp.items(complete[40:])[kmp.DIGEST], struct.pack("<IIHH", 1, 0, 1, 0) + digest.digest())
        self.assertTrue(b"".join(bytes(length) if flags else data for _, length, flags, data in memory) == path.read_bytes())
        addresses = [address for address, _, _, _ in memory]
        self.assertEqual(addresses, [0, *itertools.accumulate(length for _, length, _, _ in memory)][:-1])
        self.assertLess(sum(len(data) for _, _, _, data in memory), stream / 2)

    def test_a_local_agent_reads_a_file_and_answers_heartbeats_meanwhile(self):
        peer, path, memory, digest = self.start("--local"), self.memory(9000), [], hashlib.sha256()
        self.assertTrue(struct.unpack("<Q", peer.heartbeat(kmp.EVERYTHING).items[kmp.CAPABILITIES])[0] & 4)
        peer.send(kmp.heartbeat_request(sequence=7))
        half = 4500 * 4096
        peer.send(kmp.frame(kmp.VMCORE_START, kmp.vmcore_start(self.OPERATION, 1, [(0, half), (half, half)], path), 1))
        self.assertEqual(peer.answer().type, kmp.HEARTBEAT | kmp.ANSWER)
        self.assertEqual(peer.answer().type, kmp.VMCORE_START | kmp.ANSWER)
        self.check(self.take(peer, memory, digest), path, memory, digest)

    def test_another_connection_goes_on_where_one_was_lost(self):
        peer, path, memory, digest = self.start("--local"), self.memory(3000), [], hashlib.sha256()
        ranges = [(0, 3000 * 4096)]
        peer.send(kmp.frame(kmp.VMCORE_START, kmp.vmcore_start(self.OPERATION, 1, ranges, path), 1))
        self.assertEqual(peer.answer().type, kmp.VMCORE_START | kmp.ANSWER)
        self.take(peer, memory, digest, stop_after=1000 * 4096)
        peer.close()
        peer, had = self.peer(), sum(length for _, length, _, _ in memory)
        self.assertEqual(peer.ask(kmp.VMCORE_START, kmp.vmcore_start(self.OPERATION, 1, ranges, path, offset=had)).type,
                         kmp.VMCORE_START | kmp.ANSWER)
        peer.send(kmp.heartbeat_request(sequence=7))
        self.check(self.take(peer, memory, digest, offset=had), path, memory, digest)

    def test_an_agent_with_a_kernel_of_its_own_reads_none(self):
        peer = self.start()
        self.assertFalse(struct.unpack("<Q", peer.heartbeat(kmp.EVERYTHING).items[kmp.CAPABILITIES])[0] & 4)
        start = kmp.vmcore_start(self.OPERATION, 1, [(0, 4096)], self.memory(3))
        self.assertEqual(peer.refusal(kmp.VMCORE_START, start).code, kmp.NOT_SUPPORTED)


class Options(unittest.TestCase):
    def run_agent(self, *options):
        return subprocess.run([CHECKED, *options], capture_output=True, text=True, timeout=ENOUGH_S)

    def test_help_and_version_are_no_errors(self):
        self.assertEqual(self.run_agent("--help").returncode, 0)
        self.assertIn("--instance=ID", self.run_agent("--help").stdout)
        self.assertRegex(self.run_agent("--version").stdout, r"^kmorph-agent \d+\.\d+\.\d+\n$")

    def test_nonsense_is_refused_with_what_is_expected(self):
        for options in ((), ("--instance=1",), ("--listen=unix:/tmp/x",), ("--instance=x", "--listen=unix:/tmp/x"), ("--what",)):
            result = self.run_agent(*options)
            self.assertEqual(result.returncode, 2, options)
            self.assertIn("usage: kmorph-agent", result.stderr)
        for listen, why in (("tcp:80", "expected unix:PATH or vsock:PORT"), ("vsock:x", "expected vsock:NUMBER"),
                            ("unix:" + "x" * 200, "too long for a socket"), ("unix:/nowhere/x", "No such file")):
            result = self.run_agent("--instance=1", f"--listen={listen}")
            self.assertEqual(result.returncode, 1)
            self.assertIn(why, result.stderr)

    def test_only_its_owner_may_connect(self):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/agent.sock"
            agent = subprocess.Popen([CHECKED, "--instance=1", f"--listen=unix:{path}"])
            try:
                wait_for(lambda: os.path.exists(path), "the socket")
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            finally:
                agent.terminate()
                agent.wait(ENOUGH_S)


if __name__ == "__main__":
    unittest.main()
