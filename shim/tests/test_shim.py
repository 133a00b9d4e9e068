# SPDX-License-Identifier: Apache-2.0
"""kmorph-shim, built with sanitizers, from outside: what docs/shim.md promises."""

import mmap
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKED = os.path.join(HERE, "..", "target", "kmorph-shim-checked")
ENOUGH_S = 20

RUNNING = re.compile(r"RUNNING (\d+) (\d+\.\d{9}) isolated=((?:pid,)?(?:mount,)?(?:net,)?)\n")
EXITED = re.compile(r"EXITED (exited|killed) (\d+) (\d+\.\d{9})\n")


def wait_for(condition, what):
    end = time.monotonic() + ENOUGH_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(what + " did not come about")
        time.sleep(0.005)


def runs(pid):
    """Whether a process runs; one that has ended and is not reaped yet does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes_of(directory):
    """Every process that has a shim's directory in its environment."""
    found = []
    marker = b"KMORPH_SHIM_DIR=" + os.path.realpath(directory).encode()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as environment:
                    if marker in environment.read().split(b"\0") and runs(name):
                        found.append(int(name))
            except OSError:
                pass
    return found


class Client:
    def __init__(self, directory):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(ENOUGH_S)
        here = os.getcwd()
        os.chdir(directory)  # a path may be longer than a socket's address
        try:
            self.socket.connect("shim.sock")
        except OSError:
            self.socket.close()
            raise
        finally:
            os.chdir(here)
        self.lines = self.socket.makefile("r", encoding="ascii", newline="\n")

    def close(self):
        self.lines.close()
        self.socket.close()

    def line(self):
        return self.lines.readline()

    def ask(self, request):
        self.socket.sendall(request.encode() + b"\n")
        return self.line()


class ShimTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="kmorph shim ")
        self.addCleanup(self.clean)

    def clean(self):
        for pid in self.shims():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.shims(), "the end of the shim")
        self.run_shim("--fence")
        shutil.rmtree(self.directory)

    def shims(self):
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit() and runs(name):
                try:
                    with open(f"/proc/{name}/cmdline", "rb") as words:
                        if words.read().split(b"\0")[:3] == [CHECKED.encode(), b"--dir", self.directory.encode()]:
                            found.append(int(name))
                except OSError:
                    pass
        return found

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def console(self):
        """What console.log has; nothing in the moment in which it becomes console.log.1."""
        try:
            return self.read("console.log")
        except FileNotFoundError:
            return ""

    def run_shim(self, *words):
        return subprocess.run([CHECKED, "--dir", self.directory, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=ENOUGH_S)

    def start(self, *words, options=()):
        result = self.run_shim(*options, "--", *words)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def shell(self, script, options=()):
        self.start("/bin/sh", "-c", script, options=options)

    def client(self):
        client = Client(self.directory)
        self.addCleanup(client.close)
        return client

    def kernel(self, client):
        status = RUNNING.fullmatch(client.line())
        self.assertTrue(status)
        return int(status[1])


class Status(ShimTest):
    def test_the_kernel_runs_when_the_start_returns_and_its_shim_is_its_parent(self):
        before = time.time()
        self.start("/bin/sleep", "1000")
        client = self.client()
        status = RUNNING.fullmatch(client.line())
        self.assertTrue(before - 1 <= float(status[2]) <= time.time() + 1)
        self.assertEqual(self.read("pid").split()[0], status[1])
        with open(f"/proc/{status[1]}/status") as about:
            parent = int(re.search(r"PPid:\t(\d+)", about.read())[1])
        self.assertEqual(self.shims(), [parent])

    def test_an_exit_is_told_to_who_listens_with_status_and_time(self):
        self.shell("sleep 0.2; exit 7")
        client = self.client()
        client.line()
        before = time.time()
        told = EXITED.fullmatch(client.line())
        self.assertEqual(told.groups()[:2], ("exited", "7"))
        self.assertTrue(before - 1 <= float(told[3]) <= time.time() + 1)

    def test_an_exit_is_told_to_who_was_not_there(self):
        self.shell("exit 3")
        wait_for(lambda: os.path.exists(self.path("exit")), "the file exit")
        first = EXITED.fullmatch(self.client().line())
        self.assertEqual(first.groups()[:2], ("exited", "3"))
        self.assertEqual(self.client().line(), first[0])
        self.assertEqual("EXITED " + self.read("exit"), first[0])

    def test_a_signal_that_ended_it_is_named(self):
        self.start("/bin/sleep", "1000")
        client = self.client()
        os.kill(self.kernel(client), signal.SIGSEGV)
        self.assertEqual(EXITED.fullmatch(client.line()).groups()[:2], ("killed", str(int(signal.SIGSEGV))))

    def test_signals_reach_the_kernel(self):
        self.shell("trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done")
        client = self.client()
        self.kernel(client)
        wait_for(lambda: "ready" in self.console(), "the trap")
        self.assertEqual(client.ask("SIGNAL 15"), "SIGNALLED\n")
        self.assertEqual(EXITED.fullmatch(client.line()).groups()[:2], ("exited", "9"))
        self.assertTrue(client.ask("SIGNAL 15").startswith("ERROR "))

    def test_its_console_is_kept(self):
        self.shell("echo out; echo err >&2; exec sleep 1000")
        wait_for(lambda: self.console() == "out\nerr\n", "the console")

    def test_isolation_is_what_it_says(self):
        self.shell("echo $$; ls /sys/class/net; exec sleep 1000", options=["--isolate"])
        client = self.client()
        status = RUNNING.fullmatch(client.line())
        for name, kind in (("pid", "pid"), ("mount", "mnt"), ("net", "net")):
            apart = os.readlink(f"/proc/{status[1]}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
            self.assertEqual(apart, name in status[3], name)


class Fence(ShimTest):
    STUBBORN = """
        trap '' TERM INT HUP
        setsid sh -c 'trap "" TERM; (sleep 1000 & sleep 1000) & exec sleep 1000' &
        (setsid sleep 1000 &)
        echo ready
        while :; do sleep 0.05; done
        """

    def stubborn(self, options=()):
        self.shell(self.STUBBORN, options)
        wait_for(lambda: "ready" in self.console(), "its children")
        wait_for(lambda: len(processes_of(self.directory)) >= 5, "its children")

    def test_all_that_the_kernel_started_is_gone_when_it_is_confirmed(self):
        for options in ((), ("--isolate",)):
            with self.subTest(options=options):
                self.stubborn(options)
                client = self.client()
                kernel = self.kernel(client)
                answers = [client.ask("FENCE"), client.line()]
                self.assertEqual(answers[1], "FENCED\n", answers)
                self.assertEqual(EXITED.fullmatch(answers[0]).groups()[:2], ("killed", "9"))
                self.assertFalse(os.path.exists(f"/proc/{kernel}"), "it was not reaped")
                self.assertEqual(processes_of(self.directory), [])
                self.assertEqual(client.ask("FENCE"), "FENCED\n")
                self.assertEqual(client.ask("QUIT"), "BYE\n")
                wait_for(lambda: not self.shims(), "the end of the shim")
                for name in os.listdir(self.directory):
                    os.unlink(self.path(name))

    def test_what_a_kernel_that_ended_by_itself_leaves_is_fenced_too(self):
        self.shell("setsid sleep 1000 & exit 0")
        wait_for(lambda: os.path.exists(self.path("exit")), "the file exit")
        client = self.client()
        client.line()
        self.assertTrue(client.ask("QUIT").startswith("ERROR "))
        self.assertEqual(client.ask("FENCE"), "FENCED\n")
        self.assertEqual(processes_of(self.directory), [])

    def test_a_client_that_leaves_takes_its_wish_with_it_or_not_but_never_hangs_the_shim(self):
        self.stubborn()
        leaving = self.client()
        leaving.line()
        leaving.socket.sendall(b"FENCE\n")
        leaving.close()
        client = self.client()
        client.line()
        client.socket.sendall(b"FENCE\n")
        wait_for(lambda: client.line() == "FENCED\n", "the confirmation")

    def test_the_kernel_of_a_killed_shim_goes_with_it_and_the_rest_by_fencing(self):
        self.stubborn()
        self.assertNotEqual(self.run_shim("--fence").returncode, 0)
        (shim,) = self.shims()
        os.kill(shim, signal.SIGKILL)
        wait_for(lambda: not self.shims(), "the end of the shim")
        result = self.run_shim("--fence")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(processes_of(self.directory), [])
        self.assertTrue(os.path.exists(self.path("fenced")))

    def test_a_fenced_directory_starts_nothing(self):
        self.assertEqual(self.run_shim("--fence").returncode, 0)
        result = self.run_shim("--", "/bin/sleep", "1000")
        self.assertEqual(result.returncode, 1)
        self.assertIn("was fenced", result.stderr)
        self.assertEqual(processes_of(self.directory), [])

    def test_a_number_that_another_process_has_by_now_is_not_killed(self):
        other = subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True)
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        with open("/proc/sys/kernel/random/boot_id") as boot:
            boot_id = boot.read().strip()
        with open(self.path("pid"), "w") as file:
            file.write(f"{other.pid} 1 {boot_id}\n")
        self.assertEqual(self.run_shim("--fence").returncode, 0)
        self.assertIsNone(other.poll())

    def test_a_damaged_pid_file_is_an_error_and_no_confirmation(self):
        with open(self.path("pid"), "w") as file:
            file.write("what\n")
        result = self.run_shim("--fence")
        self.assertEqual(result.returncode, 1)
        self.assertIn("/pid is damaged", result.stderr)


class Survival(ShimTest):
    def test_it_outlives_whoever_started_it_and_every_polite_signal(self):
        starter = subprocess.run(["/bin/sh", "-c", f"'{CHECKED}' --dir '{self.directory}' -- /bin/sleep 1000; kill -9 $$"])
        self.assertEqual(starter.returncode, -signal.SIGKILL)
        (shim,) = self.shims()
        for polite in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            os.kill(shim, polite)
        self.kernel(self.client())

    def test_one_whose_starter_is_killed_at_any_moment_is_ready_or_nothing_of_it_is_left(self):
        """Who finds the directory later has a shim to ask, or none, and then a fence confirms that nothing runs."""
        ready = 0
        for wait_us in range(0, 9000, 900):
            starter = subprocess.Popen([CHECKED, "--dir", self.directory, "--", "/bin/sleep", "1000"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(wait_us / 1e6)
            starter.kill()
            starter.wait()
            status = wait_for(self.status_or_none, "a shim that answers, or none")
            if status != "none":
                ready += 1
                kernel = int(RUNNING.fullmatch(status)[1])
                self.assertEqual(int(self.read("pid").split()[0]), kernel)
                self.assertIn(kernel, processes_of(self.directory))
                os.kill(self.shims()[0], signal.SIGKILL)
                wait_for(lambda: not self.shims(), "the end of the shim")
            result = self.run_shim("--fence")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual(processes_of(self.directory), [])
            for name in os.listdir(self.directory):
                os.unlink(self.path(name))
        self.assertGreater(ready, 0)

    def status_or_none(self):
        """What the shim says of its kernel; "none" when there is no shim; nothing while one is about to answer."""
        if not self.shims():
            return "none"
        try:
            client = Client(self.directory)
        except (FileNotFoundError, ConnectionRefusedError):
            return ""
        try:
            return client.line()
        except ConnectionResetError:
            return ""
        finally:
            client.close()

    def test_a_second_shim_is_refused(self):
        self.start("/bin/sleep", "1000")
        result = self.run_shim("--", "/bin/sleep", "1000")
        self.assertEqual(result.returncode, 1)
        self.assertIn("has a shim already", result.stderr)
        self.kernel(self.client())

    def test_clients_over_the_limit_are_closed_and_the_others_served(self):
        self.start("/bin/sleep", "1000")
        clients = [self.client() for _ in range(8)]
        for client in clients:
            self.kernel(client)
        self.assertEqual(self.client().line(), "")
        self.assertTrue(RUNNING.fullmatch(clients[7].ask("STATUS")))
        clients[0].close()
        wait_for(lambda: self.client().line(), "a free place")

    def test_requests_come_in_any_pieces_and_nonsense_is_answered(self):
        self.start("/bin/sleep", "1000")
        client = self.client()
        client.line()
        for byte in b"STATUS\nSTAT":
            client.socket.sendall(bytes([byte]))
        self.assertTrue(RUNNING.fullmatch(client.line()))
        client.socket.sendall(b"US\nSTATUS\n")
        self.assertTrue(RUNNING.fullmatch(client.line()))
        self.assertTrue(RUNNING.fullmatch(client.line()))
        for nonsense in ("", "status", "SIGNAL", "SIGNAL x", "SIGNAL 9 9", "SIGNAL -1", "SIGNAL 999", "FENCE now"):
            self.assertTrue(client.ask(nonsense).startswith("ERROR "), nonsense)
        client.socket.sendall(b"x" * 1000)
        self.assertEqual(client.line(), "ERROR the line is too long\n")

    def test_a_client_that_never_reads_is_dropped(self):
        self.start("/bin/sleep", "1000")
        greedy = self.client()
        greedy.socket.settimeout(0.05)
        try:
            for _ in range(100000):
                greedy.socket.sendall(b"STATUS\n" * 100)
            self.fail("it was never dropped")
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.kernel(self.client())

    def test_the_console_log_is_bounded(self):
        self.shell("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; exit 0", options=["--log-limit", "8192"])
        wait_for(lambda: "line 2999" in self.console(), "the last line")
        both = os.path.getsize(self.path("console.log")) + os.path.getsize(self.path("console.log.1"))
        self.assertLess(both, 8192 + 2 * 16384)
        self.assertTrue(self.console().endswith("line 2999\n"))


class Link(ShimTest):
    BYTES = 1 << 20
    ID = 7
    GENERATION = 64  # of struct kerf_side, whose side 1 begins at 4096

    def setUp(self):
        super().setUp()
        self.descriptors = []
        self.addCleanup(lambda: [os.close(descriptor) for descriptor in self.descriptors])

    def begin(self):
        self.start("/bin/sleep", "1000", options=["--link-bytes", str(self.BYTES), "--link-id", str(self.ID)])

    def take(self, client):
        """LINK: the memory, mapped, and the doorbells of either side."""
        client.socket.sendall(b"LINK\n")
        line, descriptors, _, _ = socket.recv_fds(client.socket, 256, 16)
        self.descriptors += descriptors
        self.assertEqual(line, b"LINK %d 2 %d\n" % (self.BYTES, self.ID))
        self.assertEqual(len(descriptors), 5)
        return mmap.mmap(descriptors[0], self.BYTES), descriptors[1:3], descriptors[3:5]

    def machine(self):
        """As a QEMU hears it: [(number, descriptor or None)], and its connection."""
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(ENOUGH_S)
        connection.connect(self.path("link.sock"))
        heard = []
        while len(heard) < 7:
            message, descriptors, _, _ = socket.recv_fds(connection, 8, 1)
            if not message:
                break
            self.assertEqual(len(message), 8)
            self.descriptors += descriptors
            heard.append((int.from_bytes(message, "little", signed=True), descriptors[0] if descriptors else None))
        return connection, heard

    @staticmethod
    def rung(bell):
        try:
            return int.from_bytes(os.read(bell, 8), "little") > 0
        except BlockingIOError:
            return False

    def test_daemon_and_machine_get_the_same_memory_and_bells(self):
        self.begin()
        client = self.client()
        client.line()
        memory, own, others = self.take(client)
        _, heard = self.machine()
        self.assertEqual([number for number, _ in heard], [0, self.ID, -1, 0, 0, self.ID, self.ID])
        self.assertEqual([descriptor is None for _, descriptor in heard], [True, True] + 5 * [False])
        with mmap.mmap(heard[2][1], self.BYTES) as machines:
            machines[12345] = 42
            self.assertEqual(memory[12345], 42)
            memory[self.BYTES - 1] = 43
            self.assertEqual(machines[self.BYTES - 1], 43)
        for mine, theirs in zip(own + others, heard[3:]):
            os.write(theirs[1], (1).to_bytes(8, "little"))
            self.assertEqual([self.rung(bell) for bell in own + others], [bell == mine for bell in own + others])

    def test_nobody_can_take_pages_away(self):
        self.begin()
        client = self.client()
        client.line()
        self.take(client)
        with self.assertRaises(PermissionError):
            os.ftruncate(self.descriptors[0], 0)

    def test_one_has_the_link_until_it_leaves_and_then_the_other_side_is_told(self):
        self.begin()
        first, second = self.client(), self.client()
        first.line(), second.line()
        memory, _, others = self.take(first)
        memory[self.GENERATION] = 9
        self.assertTrue(second.ask("LINK").startswith("ERROR another connection has the link"))
        self.assertEqual(memory[self.GENERATION], 9)
        first.close()
        wait_for(lambda: memory[self.GENERATION] == 0, "the end of the generation")
        wait_for(lambda: all([self.rung(bell) for bell in others]), "the bells")
        self.take(second)

    def test_the_end_of_the_kernel_and_of_its_machine_is_told(self):
        for ending in ("machine", "kernel"):
            with self.subTest(ending=ending):
                if ending == "machine":
                    self.begin()
                client = self.client()
                kernel = self.kernel(client)
                memory, own, _ = self.take(client)
                connection, heard = self.machine()
                self.assertEqual(len(heard), 7)
                memory[4096 + self.GENERATION] = 9
                if ending == "machine":
                    connection.close()
                else:
                    os.kill(kernel, signal.SIGKILL)
                wait_for(lambda: memory[4096 + self.GENERATION] == 0, "the end of the generation")
                wait_for(lambda: all([self.rung(bell) for bell in own]), "the bells")
                client.close()

    def test_a_second_machine_gets_nothing(self):
        self.begin()
        _, first = self.machine()
        _, second = self.machine()
        self.assertEqual((len(first), second), (7, []))

    def test_without_a_link_there_is_none(self):
        self.start("/bin/sleep", "1000")
        client = self.client()
        client.line()
        self.assertTrue(client.ask("LINK").startswith("ERROR it was started without a link"))
        self.assertFalse(os.path.exists(self.path("link.sock")))


class FullDisk(ShimTest):
    """Needs root, to mount a small file system."""

    def setUp(self):
        self.disk = tempfile.mkdtemp(prefix="kmorph-shim-disk-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "kmorph-shim", self.disk], check=True)
        self.addCleanup(os.rmdir, self.disk)
        self.addCleanup(subprocess.run, ["umount", self.disk], check=True)
        self.directory = os.path.join(self.disk, "instance")
        os.mkdir(self.directory)
        self.addCleanup(self.clean)

    def fill(self):
        with open(os.path.join(self.disk, "ballast"), "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"x" * 4096)
            except OSError:
                pass

    def test_the_kernel_runs_on_and_its_end_is_recorded_once_there_is_room(self):
        self.shell("while [ ! -e ../go ]; do sleep 0.02; done; yes | head -c 20000; exit 5")
        open(os.path.join(self.disk, "later"), "w").close()
        client = self.client()
        self.kernel(client)
        self.fill()
        os.rename(os.path.join(self.disk, "later"), os.path.join(self.disk, "go"))
        self.assertEqual(EXITED.fullmatch(client.line()).groups()[:2], ("exited", "5"))
        self.assertFalse(os.path.exists(self.path("exit")))
        os.unlink(os.path.join(self.disk, "ballast"))
        wait_for(lambda: os.path.exists(self.path("exit")), "the file exit")
        self.assertEqual(self.read("exit").split()[:2], ["exited", "5"])


class Usage(ShimTest):
    def test_what_cannot_be_started_is_named_and_leaves_nothing(self):
        for words, said in (
            (["--", "/no/such/program"], "/no/such/program"),
            (["--cpus", "0-", "--", "/bin/true"], "--cpus is no list"),
            (["--cpus", "-1", "--", "/bin/true"], "--cpus is no list"),
            (["--cpus", "0;1", "--", "/bin/true"], "--cpus is no list"),
            (["--cpus", "1000", "--", "/bin/true"], "none of the processors"),
            (["--link-bytes", "1048576", "--", "/bin/true"], "go together"),
            (["--link-bytes", "3000000", "--link-id", "1", "--", "/bin/true"], "expected a power of two"),
            (["--link-bytes", "1048576", "--link-id", "0", "--", "/bin/true"], '--link-id is "0"'),
            (["--log-limit", "12", "--", "/bin/true"], '--log-limit is "12"'),
            (["--cgroup", "/no/such/group", "--", "/bin/true"], "/no/such/group/cgroup.procs"),
        ):
            with self.subTest(words=words):
                result = self.run_shim(*words)
                self.assertEqual(result.returncode, 1)
                self.assertIn(said, result.stderr)
                wait_for(lambda: not self.shims(), "the end of the shim")
                self.assertFalse(os.path.exists(self.path("pid")))
                self.assertFalse(os.path.exists(self.path("shim.sock")))

    def test_wrong_words_get_the_usage(self):
        for words in (["--what"], [], ["--fence", "--", "/bin/true"]):
            result = self.run_shim(*words)
            self.assertEqual(result.returncode, 2)
            self.assertIn("usage: kmorph-shim", result.stderr)

    def test_a_directory_that_is_not_there_is_named(self):
        result = subprocess.run([CHECKED, "--dir", "/no/such/place", "--", "/bin/true"], capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("/no/such/place", result.stderr)


if __name__ == "__main__":
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0:" + os.environ.get("ASAN_OPTIONS", "")
    unittest.main(verbosity=0 if "-v" not in sys.argv else 2)
