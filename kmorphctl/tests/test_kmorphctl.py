# SPDX-License-Identifier: Apache-2.0
"""kmorphctl, built with sanitizers, against a scripted daemon."""

import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from random import Random

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKED = os.path.join(HERE, "..", "target", "kmorphctl-checked")
STATIC = os.path.join(HERE, "..", "target", "kmorphctl")
DRIVE = os.path.join(HERE, "pty_drive.py")
ENOUGH_S = 30

START, STDIN, STDIN_END, RESIZE, CANCEL = 1, 2, 3, 4, 5
HELLO, STDOUT, STDERR, MODE, CREDIT, EXIT, ERROR = range(0x81, 0x88)


def frame(kind, payload=b""):
    return struct.pack(">BI", kind, len(payload)) + payload


def hello(lowest=1, highest=1):
    return frame(HELLO, struct.pack(">IHHIQ", 0x4B4D4354, lowest, highest, os.getpid(), 0))


class Peer:
    """The daemon's end of one connection."""

    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(ENOUGH_S)
        self.buffer = b""

    def send(self, *parts):
        self.connection.sendall(b"".join(parts))

    def send_bytewise(self, data):
        for i in range(len(data)):
            self.connection.sendall(data[i : i + 1])

    def exactly(self, size):
        while len(self.buffer) < size:
            more = self.connection.recv(65536)
            if not more:
                return None
            self.buffer += more
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def frame(self):
        """The next frame of the client as (type, payload); None when it has left."""
        header = self.exactly(5)
        if header is None:
            return None
        kind, length = struct.unpack(">BI", header)
        return kind, self.exactly(length)

    def start(self):
        """Takes START; returns its fields as {tag: [values]}."""
        kind, payload = self.frame()
        assert kind == START, kind
        assert struct.unpack(">H", payload[:2])[0] == 1
        fields, rest = {}, payload[2:]
        while rest:
            tag, length = struct.unpack(">BH", rest[:3])
            fields.setdefault(tag, []).append(rest[3 : 3 + length])
            rest = rest[3 + length :]
        return fields


class Daemon:
    """Listens at a path; gives each connection to the script in its turn, on a thread."""

    def __init__(self, path, *scripts):
        self.path = path
        self.failures = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(8)
        self.listener.settimeout(ENOUGH_S)
        self.thread = threading.Thread(target=self.serve, args=(scripts,), daemon=True)
        self.thread.start()

    def serve(self, scripts):
        for script in scripts:
            try:
                connection, _ = self.listener.accept()
                with connection:
                    script(Peer(connection))
            except Exception as e:  # reported by join
                self.failures.append(e)

    def join(self):
        self.thread.join(ENOUGH_S)
        self.listener.close()
        if self.failures:
            raise self.failures[0]


class Kmorphctl(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="kmorphctl-")
        self.path = os.path.join(self.directory, "s")
        self.addCleanup(shutil.rmtree, self.directory)

    def run_client(self, *words, binary=CHECKED, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        result = subprocess.run(
            [binary, "--socket=" + self.path, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=ENOUGH_S,
            **more,
        )
        for finding in (b"Sanitizer", b"runtime error"):
            self.assertNotIn(finding, result.stderr)
        return result

    def serve(self, *scripts):
        daemon = Daemon(self.path, *scripts)
        self.addCleanup(daemon.join)
        return daemon

    def answers(self, *parts):
        """Runs the client against a daemon that takes START and sends these bytes."""

        def script(peer):
            peer.send(hello())
            peer.start()
            peer.send(*parts)

        self.serve(script)
        return self.run_client("x")

    # --- asking ---

    def test_start_carries_words_directory_and_terminal(self):
        seen = {}

        def script(peer):
            peer.send(hello())
            seen.update(peer.start())
            peer.send(frame(EXIT, b"\0"))

        self.serve(script)
        environment = dict(os.environ, TERM="vt100", NO_COLOR="1")
        result = self.run_client("a b", "", "--x=\u00fc", cwd="/usr", env=environment)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual([b"a b", b"", "--x=\u00fc".encode()], seen[1])
        self.assertEqual([b"/usr"], seen[2])
        self.assertEqual([b"vt100"], seen[3])
        self.assertEqual([bytes([8])], seen[4])

    def test_stdin_waits_for_credit_and_keeps_to_it(self):
        seen = []

        def script(peer):
            peer.send(hello())
            peer.start()
            peer.send(frame(CREDIT, struct.pack(">I", 3)))
            seen.append(peer.frame())
            peer.send(frame(CREDIT, struct.pack(">I", 100)))
            seen.append(peer.frame())
            seen.append(peer.frame())
            peer.send(frame(EXIT, b"\0"))

        self.serve(script)
        result = self.run_client("x", stdin=None, input=b"abcdef")
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual([(STDIN, b"abc"), (STDIN, b"def"), (STDIN_END, b"")], seen)

    def test_words_that_do_not_fit_are_refused_here(self):
        self.serve(lambda peer: peer.send(hello()))
        result = self.run_client("x" * 66000)
        self.assertEqual(2, result.returncode)
        self.assertIn(b"too long", result.stderr)

    # --- being answered ---

    def test_exit_codes(self):
        for code in range(8):
            with self.subTest(code=code):
                self.path = os.path.join(self.directory, "s%d" % code)
                self.assertEqual(code, self.answers(frame(EXIT, bytes([code]))).returncode)

    def test_streams_stay_apart(self):
        result = self.answers(
            frame(STDOUT, b"data\n"), frame(STDERR, b"message\n"), frame(STDOUT), frame(EXIT, b"\3")
        )
        self.assertEqual((b"data\n", b"message\n", 3), (result.stdout, result.stderr, result.returncode))

    def test_bytes_one_by_one(self):
        def script(peer):
            peer.send_bytewise(hello())
            peer.start()
            peer.send_bytewise(frame(STDOUT, b"slow") + frame(EXIT, b"\2"))

        self.serve(script)
        result = self.run_client("x")
        self.assertEqual((b"slow", 2), (result.stdout, result.returncode))

    def test_largest_frames(self):
        data = os.urandom(65536)
        result = self.answers(frame(STDOUT, data), frame(STDOUT, data), frame(EXIT, b"\0"))
        self.assertEqual(data + data, result.stdout)

    def test_error_is_said_and_gives_the_exit_code(self):
        result = self.answers(frame(ERROR, b"\5user x has no role"))
        self.assertEqual((b"kmorphctl: user x has no role\n", 5), (result.stderr, result.returncode))

    def test_error_in_place_of_service_is_read_though_the_daemon_has_closed(self):
        self.serve(lambda peer: peer.send(hello(), frame(ERROR, b"\x08the daemon serves 64 clients")))
        result = self.run_client("x")
        self.assertEqual((b"kmorphctl: the daemon serves 64 clients\n", 8), (result.stderr, result.returncode))

    # --- daemons that are not well ---

    def test_what_is_no_frame_is_an_error(self):
        malformed = {
            "unknown type": frame(0x42, b"x"),
            "type of a client": frame(START, b""),
            "second greeting": hello(),
            "too long": struct.pack(">BI", STDOUT, 65537),
            "much too long": struct.pack(">BI", STDOUT, 0xFFFFFFFF),
            "mode without payload": frame(MODE),
            "mode that is none": frame(MODE, b"\2"),
            "short credit": frame(CREDIT, b"\0\1"),
            "credit overflow": frame(CREDIT, b"\xff" * 4) * 2,
            "exit without code": frame(EXIT),
            "exit with more": frame(EXIT, b"\0\0"),
            "error without code": frame(ERROR),
            "text": b"HTTP/1.1 200 OK\r\n\r\n",
        }
        for i, (name, data) in enumerate(malformed.items()):
            with self.subTest(name):
                self.path = os.path.join(self.directory, "m%d" % i)
                result = self.answers(data)
                self.assertEqual(8, result.returncode, result.stderr)
                self.assertIn(b"does not speak the control protocol", result.stderr)

    def test_random_frames_end_the_client_and_harm_nothing(self):
        random = Random(2)
        for i in range(150):
            data = b""
            for _ in range(random.randrange(12)):
                payload = random.randbytes(random.choice([0, 1, 1, 2, 4, 4, 30, 5000]))
                if random.random() < 0.6:
                    payload = payload[: {MODE: 1, CREDIT: 4}.get(random.choice([MODE, CREDIT]), 1)]
                data += frame(random.choice([STDOUT, STDERR, MODE, CREDIT, STDOUT, STDERR, 0x90]), payload)
            if data and random.random() < 0.5:
                at = random.randrange(len(data))
                data = data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
            if random.random() < 0.5:
                data += frame(EXIT, bytes([random.randrange(8)]))
            with self.subTest(i=i, data=data[:200]):
                self.path = os.path.join(self.directory, "r%d" % i)
                self.assertIn(self.answers(data).returncode, range(256))

    def test_connection_that_breaks_at_every_byte(self):
        whole = frame(STDOUT, b"abc") + frame(CREDIT, b"\0\0\0\0") + frame(EXIT, b"\0")
        for cut in range(len(whole)):
            with self.subTest(cut=cut):
                self.path = os.path.join(self.directory, "c%d" % cut)
                result = self.answers(whole[:cut])
                self.assertEqual(8, result.returncode)
                self.assertIn(b"closed the connection before the command ended", result.stderr)
                self.assertEqual(b"abc" if cut >= 8 else b"", result.stdout)

    def test_greeting_that_breaks_or_is_another_program(self):
        greetings = [hello()[:cut] for cut in range(1, len(hello()))]
        greetings += [b"SSH-2.0-OpenSSH_9.2p1 and so on....", b"\0" * 25, hello()[:5] + b"XXXX" + hello()[9:]]
        for i, greeting in enumerate(greetings):
            with self.subTest(greeting=greeting):
                self.path = os.path.join(self.directory, "g%d" % i)
                self.serve(lambda peer: peer.send(greeting))
                result = self.run_client("x")
                self.assertEqual(8, result.returncode)
                self.assertIn(b"is not a kmorph daemon", result.stderr)

    def test_other_version_is_said(self):
        for i, (lowest, highest) in enumerate([(2, 3), (0, 0)]):
            self.path = os.path.join(self.directory, "v%d" % i)
            self.serve(lambda peer: peer.send(hello(lowest, highest)))
            result = self.run_client("x")
            self.assertEqual(8, result.returncode)
            self.assertIn(b"incompatible version", result.stderr)

    def test_newer_daemon_that_still_speaks_ours_is_fine(self):
        def script(peer):
            peer.send(hello(1, 9))
            peer.start()
            peer.send(frame(EXIT, b"\0"))

        self.serve(script)
        self.assertEqual(0, self.run_client("x").returncode)

    def test_connection_lost_before_the_greeting_is_made_again(self):
        def script(peer):
            peer.send(hello())
            peer.start()
            peer.send(frame(EXIT, b"\7"))

        self.serve(lambda peer: None, lambda peer: None, script)
        self.assertEqual(7, self.run_client("x").returncode)

    # --- no daemon ---

    def test_no_socket(self):
        result = self.run_client("list")
        self.assertEqual(8, result.returncode)
        self.assertIn(b"no socket at", result.stderr)

    def test_stale_socket(self):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(self.path)
        result = self.run_client("list")
        self.assertEqual(8, result.returncode)
        self.assertIn(b"stale socket", result.stderr)

    def test_file_that_is_no_socket(self):
        open(self.path, "w").close()
        result = self.run_client("list")
        self.assertEqual(8, result.returncode)
        self.assertIn(b"not a socket", result.stderr)

    def test_socket_that_we_may_not_use(self):
        with socket.socket(socket.AF_UNIX) as private:
            private.bind(self.path)
            private.listen()
            os.chmod(self.path, 0)
            os.chmod(self.directory, 0o755)
            # root may use it all the same: the client runs as one who may not
            client = os.path.join(self.directory, "client")
            shutil.copy(STATIC, client)
            command = [client, "--socket=" + self.path, "list"]
            result = subprocess.run(
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
                if os.getuid() == 0
                else command,
                stderr=subprocess.PIPE,
                timeout=ENOUGH_S,
            )
        self.assertEqual(8, result.returncode)
        self.assertIn(b"no permission", result.stderr)

    def test_path_that_is_too_long(self):
        self.path = "/tmp/" + "x" * 200
        result = self.run_client("list")
        self.assertEqual(8, result.returncode)
        self.assertIn(b"too long", result.stderr)

    def test_status_and_stop_of_a_daemon_that_is_not_there(self):
        status, stop = self.run_client("daemon", "status"), self.run_client("daemon", "stop")
        self.assertEqual((3, 0), (status.returncode, stop.returncode))
        self.assertIn(b"not running", status.stderr)
        self.assertIn(b"not running", stop.stderr)

    def test_help_and_version_without_a_daemon(self):
        self.assertIn(b"usage: kmorphctl", self.run_client("--help").stdout)
        self.assertRegex(self.run_client("--version").stdout, rb"^kmorphctl \d+\.\d+")

    # --- where the socket and the launcher are ---

    def installed(self):
        home = os.path.join(self.directory, "home")
        for name in ("bin", "run"):
            os.makedirs(os.path.join(home, name))
        client = os.path.join(home, "bin", "kmorphctl")
        shutil.copy(STATIC, client)
        link = os.path.join(self.directory, "link")
        os.symlink(client, link)
        return home, link

    def test_socket_is_found_beside_the_program_through_a_link(self):
        home, link = self.installed()
        self.path = os.path.join(home, "run", "control.sock")

        def script(peer):
            peer.send(hello())
            peer.start()
            peer.send(frame(EXIT, b"\4"))

        self.serve(script)
        self.assertEqual(4, subprocess.run([link, "x"], timeout=ENOUGH_S).returncode)

    def test_socket_of_the_environment(self):
        self.serve(lambda peer: peer.send(hello(), frame(ERROR, b"\6here")))
        result = subprocess.run(
            [CHECKED, "x"], env=dict(os.environ, KMORPH_SOCKET=self.path), timeout=ENOUGH_S, stderr=subprocess.PIPE
        )
        self.assertEqual(6, result.returncode)

    def test_start_runs_the_launcher_with_the_words_after_it(self):
        home, link = self.installed()
        launcher = os.path.join(home, "bin", "kmorphd")
        with open(launcher, "w") as script:
            script.write('#!/bin/sh\nprintf "%s|" "$@"\nexit 9\n')
        os.chmod(launcher, 0o755)
        result = subprocess.run(
            [link, "daemon", "start", "--config=/a b", "--foreground"], stdout=subprocess.PIPE, timeout=ENOUGH_S
        )
        self.assertEqual((b"start|--config=/a b|--foreground|", 9), (result.stdout, result.returncode))

    def test_start_without_a_launcher(self):
        _, link = self.installed()
        result = subprocess.run([link, "daemon", "start"], stderr=subprocess.PIPE, timeout=ENOUGH_S)
        self.assertEqual(1, result.returncode)
        self.assertIn(b"cannot start", result.stderr)

    # --- stop ---

    DAEMON = """
import sys, os
sys.path.insert(0, sys.argv[1])
from test_kmorphctl import *
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[2])
listener.listen()
print("ready", flush=True)
connection, _ = listener.accept()
peer = Peer(connection)
peer.send(hello())
peer.start()
if sys.argv[3] == "says":
    peer.send(frame(EXIT, b"\\0"))
    peer.frame()
    print("left", flush=True)
os.read(0, 1)
"""

    def daemon_process(self, manner):
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", self.DAEMON, HERE, self.path, manner],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.assertEqual(b"ready\n", process.stdout.readline())
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        return process

    def test_stop_returns_when_the_process_is_gone_and_not_before(self):
        daemon = self.daemon_process("says")
        client = subprocess.Popen([CHECKED, "--socket=" + self.path, "daemon", "stop"])
        self.assertEqual(b"left\n", daemon.stdout.readline())
        # the connection is closed: now it sleeps because the process is there, or is gone
        while self.state(client) not in "SZ":
            pass
        self.assertIsNone(client.poll())
        daemon.stdin.close()
        self.assertEqual(0, client.wait(ENOUGH_S))
        self.assertIsNotNone(daemon.poll())

    @staticmethod
    def state(process):
        with open("/proc/%d/stat" % process.pid) as file:
            return file.read().rpartition(")")[2].split()[0]

    def test_stop_whose_daemon_dies_without_a_word_has_stopped_it(self):
        daemon = self.daemon_process("silent")
        client = subprocess.Popen([CHECKED, "--socket=" + self.path, "daemon", "stop"])
        daemon.stdin.close()
        self.assertEqual(0, client.wait(ENOUGH_S))

    def test_stop_gives_up_at_its_timeout(self):
        self.daemon_process("says")
        result = self.run_client("daemon", "stop", "--timeout=200ms")
        self.assertEqual(6, result.returncode)
        self.assertIn(b"still runs", result.stderr)

    def test_help_of_stop_waits_for_nothing(self):
        self.daemon_process("says")
        self.assertEqual(0, self.run_client("daemon", "stop", "--help").returncode)

    # --- signals and terminals ---

    def piped(self, *words):
        return subprocess.Popen(
            [CHECKED, "--socket=" + self.path, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def test_signals_cancel_and_a_second_one_leaves(self):
        seen = []

        def script(peer):
            peer.send(hello())
            peer.start()
            peer.send(frame(STDOUT, b"on\n"))
            seen.append(peer.frame())
            peer.send(frame(STDOUT, b"cancelling\n"))
            seen.append(peer.frame())

        daemon = self.serve(script)
        client = self.piped("x")
        self.assertEqual(b"on\n", client.stdout.readline())
        client.send_signal(signal.SIGINT)
        self.assertEqual(b"cancelling\n", client.stdout.readline())
        client.send_signal(signal.SIGINT)
        errors = client.communicate(timeout=ENOUGH_S)[1]
        self.assertEqual(-signal.SIGINT, client.returncode)
        self.assertIn(b"left at once", errors)
        daemon.join()
        self.assertEqual([(CANCEL, b""), None], seen)

    def test_closed_stdout_ends_quietly(self):
        def script(peer):
            peer.send(hello())
            peer.start()
            try:
                while True:
                    peer.send(frame(STDOUT, b"y\n"))
            except OSError:
                pass

        self.serve(script)
        client = self.piped("x")
        self.assertEqual(b"y\n", client.stdout.readline())
        client.stdout.close()
        self.assertEqual(-signal.SIGPIPE, client.wait(ENOUGH_S))
        with client.stderr as errors:
            self.assertEqual(b"", errors.read())

    def test_full_disk_behind_stdout_is_an_error(self):
        def script(peer):
            peer.send(hello())
            peer.start()
            peer.send(frame(STDOUT, b"y\n"), frame(EXIT, b"\0"))

        self.serve(script)
        with open("/dev/full", "w") as full:
            result = subprocess.run(
                [CHECKED, "--socket=" + self.path, "x"], stdout=full, stderr=subprocess.PIPE, timeout=ENOUGH_S
            )
        self.assertEqual(1, result.returncode)
        self.assertIn(b"No space left", result.stderr)

    def on_terminal(self, *words):
        client = subprocess.Popen(
            [sys.executable, "-B", DRIVE, "24", "80", CHECKED, "--socket=" + self.path, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.addCleanup(client.wait)
        for stream in (client.stdin, client.stdout, client.stderr):
            self.addCleanup(stream.close)
        return client

    def tell(self, client, line):
        client.stdin.write(line.encode() + b"\n")

    def await_modes(self, client, wanted):
        """Asks until the terminal is in that mode."""
        deadline = time.monotonic() + ENOUGH_S
        while time.monotonic() < deadline:
            self.tell(client, "modes")
            if client.stderr.readline().decode().split() == ["modes", wanted]:
                return
        self.fail("the terminal did not become " + wanted)

    def test_death_of_the_daemon_in_raw_mode_puts_the_terminal_back(self):
        die = threading.Event()

        def script(peer):
            peer.send(hello())
            peer.start()
            peer.send(frame(MODE, b"\1"))
            die.wait(ENOUGH_S)

        self.serve(script)
        client = self.on_terminal("x")
        self.await_modes(client, "raw")
        die.set()
        self.await_end(client, b"exit 8")

    def await_end(self, client, last):
        errors = client.stderr.read()
        self.assertIn(b"modes line\n" + last, errors)

    def test_stop_and_continue_in_raw_mode(self):
        leave = threading.Event()
        seen = []

        def script(peer):
            peer.send(hello())
            peer.start()
            peer.send(frame(MODE, b"\1"))
            leave.wait(ENOUGH_S)
            seen.append(peer.frame())
            peer.send(frame(EXIT, b"\0"))

        self.serve(script)
        client = self.on_terminal("x")
        self.await_modes(client, "raw")
        self.tell(client, "signal %d" % signal.SIGTSTP)
        self.await_modes(client, "line")
        self.tell(client, "signal %d" % signal.SIGCONT)
        self.await_modes(client, "raw")
        leave.set()
        self.await_end(client, b"exit 0")
        self.assertEqual([(RESIZE, struct.pack(">HH", 24, 80))], seen)

    def test_window_changes_are_sent(self):
        seen = []

        def script(peer):
            peer.send(hello())
            seen.append(peer.start()[5][0])
            peer.send(frame(STDOUT, b"on"))
            seen.append(peer.frame())
            peer.send(frame(EXIT, b"\0"))

        self.serve(script)
        client = self.on_terminal("x")
        self.assertEqual(b"on", client.stdout.read(2))
        self.tell(client, "size 50 132")
        self.await_end(client, b"exit 0")
        self.assertEqual([struct.pack(">HH", 24, 80), (RESIZE, struct.pack(">HH", 50, 132))], seen)


class TheBinary(unittest.TestCase):
    def test_is_static(self):
        with open(STATIC, "rb") as file:
            header = file.read(64)
            (offset,) = struct.unpack("<Q", header[32:40])
            size, count = struct.unpack("<HH", header[54:58])
            file.seek(offset)
            kinds = [struct.unpack("<I", file.read(size)[:4])[0] for _ in range(count)]
        self.assertNotIn(3, kinds, "PT_INTERP: a dynamic loader is asked for")
        self.assertTrue(os.stat(STATIC).st_mode & stat.S_IXUSR)


if __name__ == "__main__":
    # a shell's background job ignores it, and so would the client
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.main()
