# SPDX-License-Identifier: Apache-2.0
"""A supervised agent that is killed while its workload stands still for a morph, or is about to: docs/agent.md, Supervision.
The workload is kmorph-kv, in a network namespace of the tests' own."""

import ctypes
import fcntl
import os
import pathlib
import signal
import socket
import struct
import time
import unittest

import kmp
from moments import Moment, Traced, libc
from test_agent import ENOUGH_S, HERE, AgentTest, children_of, state_of, wait_for

KV = str(HERE.parent.parent / "libkmorph/target/kmorph-kv")
ADD = 3
REQUEST, ANSWER = struct.Struct("<QIIQ"), struct.Struct("<QQQQ")
"""kernel/libkmorph/kv.h"""

OPERATION = bytes(range(80, 96))
ALL_REGIONS, WINDOW = 0xFFFFFFFF, 1 << 20
REGIONS = 5
"""of kmorph-kv: connections, table, files, sockets, its own"""
SOURCE, TARGET, ROUND_1, ROUND_2 = 1, 2, 1, 2
DESCRIBE, AGREE, XXH64 = 1, 3, 2
PULL, DATA, END = 1, 2, 3
FINAL = 4
QUIESCE = 1
PREPARED, TRANSFERRING, FROZEN, RESUMED = 1, 3, 5, 7

SO_ATTACH, TCP_REPAIR = (26, 50), (19,)
"""asm-generic/socket.h: ATTACH_FILTER, ATTACH_BPF; linux/tcp.h"""
SOL_SOCKET, TCP = (socket.SOL_SOCKET,), (socket.IPPROTO_TCP,)
PIDFD_GETFD = 438
CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def enter_network_namespace():
    user = os.geteuid()
    if libc.unshare(CLONE_NEWNET if user == 0 else CLONE_NEWNET | CLONE_NEWUSER) < 0:
        raise SystemExit(f"a network namespace is needed to hold connections: {os.strerror(ctypes.get_errno())}; run the tests as "
                         "root or allow user namespaces")
    if user != 0:
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), ENOUGH_S)
        self.count = 0

    def ask(self):
        self.count += 1
        self.socket.sendall(REQUEST.pack(self.count, ADD, 1, 1))

    def hear(self):
        """What the counter has come to."""
        data = b""
        while len(data) < ANSWER.size:
            more = self.socket.recv(ANSWER.size - len(data))
            assert more, "the connection is at its end"
            data += more
        number, value, _, _ = ANSWER.unpack(data)
        assert number == self.count
        return value


class Frozen(AgentTest):
    AGAIN_S = 5
    """docs/agent.md: the first wait before an agent is started again"""

    def setUp(self):
        super().setUp()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.clients = []
        self.addCleanup(lambda: [client.socket.close() for client in self.clients])

    def connect(self):
        client = Client(self.port)
        self.clients.append(client)
        return client

    def begin(self, *options, workload):
        self.daemon = self.start("--supervise", *options, workload=workload)
        (self.agent,) = children_of(self.process.pid)

    def run_workload(self):
        self.begin(workload=[KV, f"--listen=127.0.0.1:{self.port}", "--state=1"])
        self.workload = self.workload_of(self.daemon).pid
        os.setpriority(os.PRIO_PROCESS, self.workload, 3)
        wait_for(self.has_connected, "a workload that listens")
        self.connect()
        for client in self.clients:
            client.ask()
            client.hear()
        self.sockets = self.sockets_of_workload()

    def has_connected(self):
        try:
            return self.connect()
        except ConnectionRefusedError:
            return None

    def sockets_of_workload(self):
        """What it has set for each of its sockets of the internet."""
        found = {}
        whole = os.pidfd_open(self.workload)
        for name in os.listdir(f"/proc/{self.workload}/fd"):
            if not os.readlink(f"/proc/{self.workload}/fd/{name}").startswith("socket:"):
                continue
            fd = libc.syscall(PIDFD_GETFD, whole, int(name), 0)
            self.assertGreaterEqual(fd, 0, os.strerror(ctypes.get_errno()))
            with socket.socket(fileno=fd) as one:
                if one.family == socket.AF_INET:
                    found[name] = [one.getsockopt(socket.SOL_SOCKET, option) for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT)]
                    found[name] += [one.getsockopt(socket.IPPROTO_TCP, TCP_REPAIR[0]), fcntl.fcntl(fd, fcntl.F_GETFL)]
        os.close(whole)
        return found

    def end(self):
        self.process.terminate()
        self.assertEqual(self.process.wait(ENOUGH_S), 0, self.complaints())
        for client in self.clients:
            client.socket.close()
        self.clients.clear()

    def prepare(self, role):
        answer = self.daemon.ask(kmp.MORPH_PREPARE, OPERATION + struct.pack("<BBHIII", role, 0, 0, 60000, 9, 0))
        self.assertEqual(answer.payload[16], PREPARED)

    def negotiate(self, stage, digest=0):
        return self.daemon.ask(kmp.MORPH_NEGOTIATE, OPERATION + struct.pack("<BBHI", stage, 0, digest, 0))

    def transfer(self):
        self.prepare(SOURCE)
        self.negotiate(DESCRIBE)
        self.negotiate(AGREE, XXH64)
        self.pull(ROUND_1)
        self.take_round()

    def pull(self, number, flags=0):
        head = struct.pack("<IIQBBHHHIIII", ALL_REGIONS, number, 0, PULL, 0, flags, 0, 0, 0, 0, WINDOW, 0)
        self.daemon.send(kmp.frame(kmp.MORPH_TRANSFER_STATE, OPERATION + head, 3))

    def take_round(self):
        ended = 0
        while ended < REGIONS:
            came = self.daemon.answer()
            if came.type != kmp.MORPH_TRANSFER_STATE:
                self.assertEqual(came.type, kmp.MORPH_TRANSFER_STATE | kmp.ANSWER)
                continue
            ended += came.payload[32] == END
            self.daemon.send(kmp.frame(came.type | kmp.ANSWER, kmp.acknowledgement(OPERATION, 0, WINDOW), came.sequence))

    def quiesce(self, lease_s):
        self.lease_ends = time.monotonic() + lease_s
        self.daemon.send(kmp.frame(kmp.MORPH_COMMIT, OPERATION + struct.pack("<B3xI", QUIESCE, int(lease_s * 1e6)), 4))

    def freeze(self, lease_s):
        self.quiesce(lease_s)
        self.assertEqual(self.daemon.answer().payload[16], FROZEN)

    def save(self):
        self.pull(ROUND_2, FINAL)
        self.take_round()

    def kill(self):
        os.unlink(self.socket)  # the next one makes it again
        os.kill(self.agent, signal.SIGKILL)
        self.killed = time.monotonic()
        wait_for(lambda: state_of(self.agent) == "", "the agent's end")

    def kill_at(self, traced, moment):
        os.unlink(self.socket)
        self.assertTrue(os.WIFSIGNALED(traced.kill_at(moment)))
        wait_for(lambda: state_of(self.agent) == "", "the agent's end")

    def serves_all(self):
        """Those that were there, what they have asked meanwhile, and whoever comes."""
        for client in self.clients:
            if client is not self.clients[0]:
                client.ask()
            client.hear()
        newcomer = self.connect()
        newcomer.ask()
        newcomer.hear()

    def is_as_before(self):
        found = self.sockets_of_workload()
        self.assertEqual({name: found.get(name) for name in self.sockets}, self.sockets)
        self.assertEqual(os.sched_getscheduler(self.workload), os.SCHED_OTHER)
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, self.workload), 3)

    def stands_until_its_lease_ends_and_goes_on(self):
        self.clients[0].ask()
        goes_on_at = self.goes_on_at()
        self.assertGreaterEqual(goes_on_at, self.lease_ends)
        self.serves_all()
        self.is_as_before()
        self.daemon = wait_for(self.peer_if_it_listens, "another agent")
        self.assertEqual(self.workload_of(self.daemon)[:3], (self.workload, -1, 1))
        self.assertEqual(self.daemon.heartbeat().workload_state, kmp.RUNNING)
        return goes_on_at

    def goes_on_at(self):
        """It may have ended by then, if that was what it was told."""
        while state_of(self.workload) == "T":
            self.assertLess(time.monotonic(), self.lease_ends + ENOUGH_S, "it stands for ever")
            time.sleep(0.001)
        return time.monotonic()

    def test_a_lease_that_is_shorter_than_the_wait_for_another_agent_is_kept(self):
        self.run_workload()
        self.transfer()
        self.freeze(1)
        self.save()
        self.kill()
        self.assertLess(self.stands_until_its_lease_ends_and_goes_on(), self.killed + self.AGAIN_S)

    def test_a_lease_that_is_longer_than_the_wait_for_another_agent_is_kept(self):
        self.run_workload()
        self.transfer()
        self.freeze(self.AGAIN_S + 1)
        self.save()
        self.kill()
        self.stands_until_its_lease_ends_and_goes_on()

    def test_an_end_that_is_asked_for_waits_for_the_lease(self):
        self.run_workload()
        self.transfer()
        self.freeze(1.5)
        self.save()
        self.kill()
        self.process.terminate()
        self.assertGreaterEqual(self.goes_on_at(), self.lease_ends)
        self.assertEqual(self.process.wait(ENOUGH_S), 0, self.complaints())
        self.assertEqual(state_of(self.workload), "")

    def test_killed_at_any_step_between_running_and_standing(self):
        for moment in (Moment("the filters", "setsockopt", (None, SOL_SOCKET, SO_ATTACH), 1),
                       Moment("all filters but one", "setsockopt", (None, SOL_SOCKET, SO_ATTACH), 3),
                       Moment("it stands", "waitid", (), 1)):
            with self.subTest(moment.what):
                self.run_workload()
                self.transfer()
                traced = Traced(self.agent, ENOUGH_S)
                self.quiesce(1.5)
                self.kill_at(traced, moment)
                self.stands_until_its_lease_ends_and_goes_on()
                self.end()

    def test_killed_while_its_connections_are_read(self):
        self.run_workload()
        self.transfer()
        self.freeze(1.5)
        traced = Traced(self.agent, ENOUGH_S)
        self.pull(ROUND_2, FINAL)
        self.kill_at(traced, Moment("the second connection", "setsockopt", (None, TCP, TCP_REPAIR), 2))
        self.stands_until_its_lease_ends_and_goes_on()

    def test_killed_while_it_lets_the_workload_go_on(self):
        for moment in (Moment("the second connection", "setsockopt", (None, TCP, TCP_REPAIR), 2),
                       Moment("it goes on", "kill", (None, (signal.SIGCONT,)), 1)):
            with self.subTest(moment.what):
                self.run_workload()
                self.transfer()
                self.freeze(1.5)
                self.save()
                traced = Traced(self.agent, ENOUGH_S)
                self.kill_at(traced, moment)
                self.stands_until_its_lease_ends_and_goes_on()
                self.end()

    def test_a_workload_at_rest_goes_on_by_itself(self):
        self.run_workload()
        self.transfer()
        traced = Traced(self.agent, ENOUGH_S)
        self.quiesce(6)
        self.kill_at(traced, Moment("it is to stand", "kill", (None, (signal.SIGSTOP,)), 1))
        self.clients[0].ask()
        self.serves_all()
        self.is_as_before()
        self.assertFalse(self.peer_if_it_listens())

    def test_a_running_workload_does_without(self):
        self.run_workload()
        self.kill()
        self.clients[0].ask()
        self.serves_all()
        self.assertFalse(self.peer_if_it_listens())

    def test_what_was_made_ready_ends_with_the_agent(self):
        self.begin("--hold", workload=["/bin/sleep", "1000"])
        self.prepare(TARGET)
        self.negotiate(AGREE, XXH64)
        (ready,) = children_of(self.agent)
        self.kill()
        wait_for(lambda: state_of(ready) == "", "its end")
        self.assertFalse(self.peer_if_it_listens())
        self.daemon = wait_for(self.peer_if_it_listens, "another agent")
        self.assertEqual(self.daemon.heartbeat().workload_state, kmp.HELD)
        self.prepare(TARGET)


if __name__ == "__main__":
    enter_network_namespace()
    unittest.main()
