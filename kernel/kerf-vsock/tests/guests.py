# SPDX-License-Identifier: Apache-2.0
"""Guests of the tests: kernels of the cache in QEMU, joined by shared memory and by a network of two."""
import functools
import lzma
import mmap
import os
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
SHM_BYTES = 4 << 20
VECTORS = 2
MODULES = ["vsock", "vmw_vsock_virtio_transport_common", "virtio_pci", "virtio_net"]
TROUBLE = ("WARNING:", "BUG:", "Oops", "Call Trace", "general protection", "Kernel panic", "blocked for more than",
           "soft lockup", "rcu: INFO", "possible circular", "sleeping function", "refcount_t", "UBSAN", "KASAN",
           "hung_task", "double free", "list_add corruption", "list_del corruption", "inconsistent lock state",
           "suspicious RCU", "non-static key", "locking correctness validator", "ODEBUG")


class Failure(Exception):
    """What a test found; its text says it all."""


def cache():
    base = os.environ.get("KMORPH_KERNELS")
    if not base:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "kmorph", "kernels")
    return base


@functools.lru_cache
def accelerator():
    """kvm, where a machine that is not let go shows that it works: it can be there and be of no use."""
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-M", "q35", "-accel", "kvm",
               "-cpu", "max", "-S", "-monitor", "stdio"]
    try:
        works = subprocess.run(command, input=b"quit\n", capture_output=True, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        works = False
    return "kvm" if works else "tcg"


def kernel_directory(series):
    path = os.path.realpath(os.path.join(cache(), series))
    for name in ("vmlinuz", "kerf-vsock.ko", "tests/vsock_test"):
        if not os.path.exists(os.path.join(path, name)):
            option = "--lockdep" if series.endswith("-lockdep") else "--tests"
            raise Failure(f"{path}/{name} is missing; run ./kmorph kernels {option}")
    return path


def wait_for(what, condition, seconds=30):
    """The first true value of condition(), or a failure that says what was waited for."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def _module_files(kernel):
    files = {}
    for directory, _, names in os.walk(os.path.join(kernel, "modules")):
        for name in names:
            if ".ko" in name:
                files[name.split(".ko")[0].replace("-", "_")] = os.path.join(directory, name)
    return files


def modules_of(kernel, wanted=MODULES):
    """{name: bytes} of modules and those that they need, each after what it depends on. Built-in ones have no file."""
    files = _module_files(kernel)
    found = {}

    def add(name):
        path = files.get(name)
        if not path or name in found:
            return
        depends = subprocess.run(["modinfo", "-F", "depends", path], check=True, capture_output=True, text=True).stdout
        for other in depends.strip().split(","):
            add(other)
        with (lzma.open if path.endswith(".xz") else open)(path, "rb") as file:
            found[name] = file.read()

    for name in wanted:
        add(name)
    return found


class Cpio:
    """A newc archive, as the kernel unpacks it."""

    def __init__(self):
        self.data = bytearray()
        self.inode = 0
        self.directories = set()

    def _entry(self, name, mode, content=b"", device=(0, 0)):
        self.inode += 1
        name = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, device[0], device[1], len(name), 0)
        self.data += b"070701" + b"".join(b"%08x" % f for f in fields) + name
        self.data += bytes(-len(self.data) % 4)
        self.data += content
        self.data += bytes(-len(self.data) % 4)

    def directory(self, path):
        for end in [i for i, c in enumerate(path) if c == "/"] + [len(path)]:
            if path[:end] and path[:end] not in self.directories:
                self.directories.add(path[:end])
                self._entry(path[:end], 0o40755)

    def file(self, path, content):
        self.directory(os.path.dirname(path))
        self._entry(path, 0o100755, content)

    def host_file(self, path, source):
        with open(source, "rb") as file:
            self.file(path, file.read())

    def program(self, source):
        """A program of this machine with the libraries that it needs."""
        self.host_file("bin/" + os.path.basename(source), source)
        self.libraries(source)

    def libraries(self, source):
        """The libraries that a program or library of this machine needs, where they are on this machine."""
        for line in subprocess.run(["ldd", source], check=True, capture_output=True, text=True).stdout.splitlines():
            for word in line.split():
                if word.startswith("/") and word.lstrip("/") not in self.directories:
                    self.host_file(word.lstrip("/"), os.path.realpath(word))
                    self.directories.add(word.lstrip("/"))

    def write(self, path):
        self._entry("dev/console", 0o20600, device=(5, 1))
        self._entry("TRAILER!!!", 0)
        with open(path, "wb") as file:
            file.write(self.data)


class Keeper:
    """The ivshmem server of one link: makes the memory and the doorbells, and is the keeper that kerf_ring.h speaks of."""

    def __init__(self, directory, ids, bytes_=SHM_BYTES):
        self.ids = ids
        self.fd = os.memfd_create("kerf")
        os.ftruncate(self.fd, bytes_)
        self.memory = mmap.mmap(self.fd, bytes_)
        self.doorbells = {i: [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(VECTORS)] for i in ids}
        self.peers = {}
        self.paths = {}
        self.listeners = {}
        self.closed, self._close = os.pipe()
        for i in ids:
            self.paths[i] = os.path.join(directory, f"ivshmem-{i}.sock")
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(self.paths[i])
            listener.listen(1)
            self.listeners[listener] = i
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def ring(self, i):
        for doorbell in self.doorbells[i]:
            os.eventfd_write(doorbell, 1)

    @staticmethod
    def _say(peer, value, fd=None):
        message = struct.pack("<q", value)
        if fd is None:
            peer.sendall(message)
        else:
            socket.send_fds(peer, [message], [fd])

    def _join(self, i, peer):
        self._say(peer, 0)
        self._say(peer, i)
        self._say(peer, -1, self.fd)
        for other in [j for j in self.ids if j != i] + [i]:
            for doorbell in self.doorbells[other]:
                self._say(peer, other, doorbell)
        self.peers[peer] = i

    def _leave(self, peer):
        i = self.peers.pop(peer)
        peer.close()
        struct.pack_into("<I", self.memory, (4096 if i else 0) + 64, 0)
        for other in self.ids:
            if other != i:
                self.ring(other)

    def _serve(self):
        while True:
            ready, _, _ = select.select([self.closed, *self.listeners, *self.peers], [], [])
            if self.closed in ready:
                return
            for s in ready:
                if s in self.listeners:
                    self._join(self.listeners[s], s.accept()[0])
                elif s in self.peers:
                    try:
                        gone = not s.recv(8)
                    except ConnectionError:
                        gone = True
                    if gone:
                        self._leave(s)

    def close(self):
        os.write(self._close, b"x")
        self.thread.join()
        for s in [*self.peers, *self.listeners]:
            s.close()
        for doorbell in [d for ds in self.doorbells.values() for d in ds]:
            os.close(doorbell)
        os.close(self.fd)


class Guest:
    """One kernel in QEMU. Commands run in it one after the other, by its second serial port."""

    def __init__(self, rig, name, series, ivshmem, address, network):
        self.name = f"{name} ({series})"
        self.series = series
        self.log_path = os.path.join(rig.directory, f"{name}.log")
        serial = os.path.join(rig.directory, f"{name}.serial")
        kernel, initrd, names = rig.image(series)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(serial)
        listener.listen(1)
        command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-M", "q35", "-accel", accelerator(),
            "-cpu", "max", "-m", str(rig.memory_mib), "-kernel", os.path.join(kernel, "vmlinuz"), "-initrd", initrd,
            "-append", "console=ttyS0 quiet loglevel=4 mitigations=off cryptomgr.notests random.trust_cpu=on lsm= "
            f"net.ifnames=0 modules={','.join(names)} address={address}",
            "-chardev", f"file,id=console,path={self.log_path}", "-serial", "chardev:console",
            "-chardev", f"socket,id=serial,path={serial}", "-serial", "chardev:serial",
            "-netdev", network, "-device", "virtio-net-pci,netdev=n",
        ]
        for n, path in enumerate(ivshmem):
            command += ["-chardev", f"socket,id=iv{n},path={path}",
                        "-device", f"ivshmem-doorbell,vectors={VECTORS},chardev=iv{n}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        listener.settimeout(30)
        self.serial, _ = listener.accept()
        listener.close()
        self.buffer = b""
        self.started = time.monotonic()

    def _line(self, seconds, what):
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.serial], [], [], left)[0]:
                raise Failure(f"{self.name}: {what}: no answer within {seconds} s; its log:\n{self.log()[-2000:]}")
            data = self.serial.recv(65536)
            if not data:
                raise Failure(f"{self.name}: {what}: QEMU ended; its log:\n{self.log()[-2000:]}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")

    def is_ready(self, seconds=120):
        """Waits for the end of the boot; false if the kernel died before it had any of our code in it."""
        end = time.monotonic() + seconds
        while not self.buffer.startswith(b"@ready") or b"\n" not in self.buffer:
            if "Kernel panic" in self.log():
                return False
            if time.monotonic() > end or self.process.poll() is not None:
                raise Failure(f"{self.name} does not boot; its log:\n{self.log()[-2000:]}")
            if select.select([self.serial], [], [], 0.1)[0]:
                self.buffer += self.serial.recv(65536)
        self.buffer = self.buffer.split(b"\n", 1)[1]
        return True

    def ask(self, command, seconds=60):
        """(status, output) of a shell command."""
        self.serial.sendall(command.encode() + b"\n")
        lines = []
        while True:
            line = self._line(seconds, command)
            if line.startswith("@status "):
                return int(line.split()[1]), "\n".join(lines)
            lines.append(line)

    def do(self, command, seconds=60):
        status, output = self.ask(command, seconds)
        if status:
            raise Failure(f"{self.name}: {command}: status {status}\n{output}")
        return output

    def background(self, command, name):
        self.do(f"({command}) >/tmp/{name}.out 2>&1 & echo $! >/tmp/{name}.pid")

    def output_of(self, name):
        return self.do(f"cat /tmp/{name}.out")

    def stop(self, name):
        # The command is a child of the subshell that the pid is of, or has taken its place.
        self.ask(f"p=$(cat /tmp/{name}.pid); kill $(pgrep -P $p) $p")

    def statistics(self):
        lines = self.do("cat /sys/kernel/debug/kerf-vsock/*").splitlines()
        return {name: int(value) for name, value in (line.split() for line in lines)}

    def load(self, parameters=""):
        self.do(f"insmod /lib/kerf-vsock.ko {parameters}")

    def log(self):
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def check_log(self):
        log = self.do("dmesg") + self.log()
        for line in log.splitlines():
            if any(word in line for word in TROUBLE):
                at = log.index(line)
                raise Failure(f"{self.name}: its kernel is in trouble:\n{log[at:at + 3000]}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.serial.close()


class Rig:
    """A directory, images by series, and two guests with a link and a network between them.

    add(archive, kernel) puts more into an image than the tests of the module need.
    """

    def __init__(self, add=lambda archive, kernel: None, memory_mib=192):
        self.add = add
        self.memory_mib = memory_mib
        self.directory = tempfile.mkdtemp(prefix="kerf-vsock.")
        self.images = {}
        self.guests = []
        self.keeper = None

    def image(self, series):
        if series not in self.images:
            kernel = kernel_directory(series)
            modules = modules_of(kernel)
            traffic = os.path.join(self.directory, "traffic")
            if not os.path.exists(traffic):
                subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static",
                                os.path.join(HERE, "traffic.c"), "-o", traffic], check=True)
            archive = Cpio()
            for directory in ("dev", "proc", "sys", "tmp", "bin", "lib"):
                archive.directory(directory)
            archive.host_file("init", os.path.join(HERE, "init"))
            archive.host_file("bin/busybox", os.path.join(cache(), "busybox"))
            archive._entry("bin/sh", 0o120777, b"busybox")
            archive.host_file("bin/traffic", traffic)
            for other in sorted({"6.1", "6.12", series}):
                archive.host_file(f"bin/vsock_test_{other}", os.path.join(kernel_directory(other), "tests", "vsock_test"))
            # It came with 6.3, and runs on any kernel.
            archive.host_file("bin/vsock_perf", os.path.join(kernel_directory("6.12"), "tests", "vsock_perf"))
            archive.program(shutil.which("socat"))
            for name, content in modules.items():
                archive.file(f"lib/{name}.ko", content)
            for module in ("kerf-vsock", "hang"):
                archive.host_file(f"lib/{module}.ko", os.path.join(kernel, f"{module}.ko"))
            self.add(archive, kernel)
            path = os.path.join(self.directory, f"{series}.cpio")
            archive.write(path)
            self.images[series] = (kernel, path, list(modules))
        return self.images[series]

    def boot(self, host, instance, load=True, ids=(0, 1)):
        """Starts both at once: the host is 10.9.0.1 and CID 2, the instance 10.9.0.2 and CID 3."""
        # QEMU 7.2's TCG loses a kernel now and then while it patches its own text, long before init: seen once in
        # a dozen boots. That is not what is tested here.
        for _ in range(3):
            self._start(host, instance, ids)
            if all([guest.is_ready() for guest in self.guests]):
                break
        else:
            raise Failure(f"{self.guests[0].name}: three boots ended in a panic:\n{self.guests[0].log()[-2000:]}")
        if load:
            for guest in self.guests:
                guest.load()
            self.wait_up()
        return self.guests

    def _start(self, host, instance, ids):
        self.shut_down()
        network = os.path.join(self.directory, "network.sock")
        for name in os.listdir(self.directory):
            if name.endswith((".sock", ".serial", ".log")):
                os.unlink(os.path.join(self.directory, name))
        self.keeper = Keeper(self.directory, list(ids))
        self.guests = [
            Guest(self, "host", host, [self.keeper.paths[0]], "10.9.0.1",
                  f"stream,id=n,server=on,addr.type=unix,addr.path={network}"),
        ]
        wait_for("the network of the guests", lambda: os.path.exists(network))
        self.guests.append(self._instance(series=instance))

    def boot_instance(self, series):
        """Another instance in the place of one that has gone."""
        for _ in range(3):
            for name in ("instance.serial", "instance.log"):
                os.unlink(os.path.join(self.directory, name))
            instance = self._instance(series)
            if instance.is_ready():
                self.guests.append(instance)
                instance.load()
                self.wait_up()
                return instance
            instance.kill()
        raise Failure(f"{instance.name}: three boots ended in a panic:\n{instance.log()[-2000:]}")

    def _instance(self, series):
        return Guest(self, "instance", series, [self.keeper.paths[1]], "10.9.0.2",
                     f"stream,id=n,server=off,addr.type=unix,addr.path={self.directory}/network.sock")

    def wait_up(self, seconds=10):
        for guest in self.guests:
            wait_for(f"a session of {guest.name}", lambda: guest.statistics()["up"], seconds)

    def shut_down(self):
        for guest in self.guests:
            guest.kill()
        self.guests = []
        if self.keeper:
            self.keeper.close()
            self.keeper = None

    def close(self):
        self.shut_down()
        shutil.rmtree(self.directory)
