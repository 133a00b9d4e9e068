# SPDX-License-Identifier: Apache-2.0
"""kmorph-capture, built with sanitizers, from outside: what docs/vmcore.md says of it."""

import concurrent.futures
import hashlib
import os
import random
import resource
import signal
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKED = os.path.join(HERE, "..", "target", "kmorph-capture-checked")
PLAIN = os.path.join(HERE, "..", "target", "kmorph-capture-plain")  # without the processor's instructions for SHA-256
PAGE = 4096
FLAGS = {"none": 0, "zlib": 1, "lzo": 2, "zstd": 0x20}
AT = 12288  # where the sub-header ends


def lzo(packed):
    """Unpacks LZO1X: the kernel's Documentation/staging/lzo.rst."""
    out, at, state = bytearray(), 0, 0

    def length(base, mask_bits, value):
        nonlocal at
        value &= (1 << mask_bits) - 1
        if value:
            return base + value
        total = base + (1 << mask_bits) - 1
        while packed[at] == 0:
            total, at = total + 255, at + 1
        total, at = total + packed[at], at + 1
        return total

    def literals(count):
        nonlocal at
        out.extend(packed[at : at + count])
        at += count

    if packed[0] > 17:
        literals_first = packed[0] - 17
        at = 1
        literals(literals_first)
        state = min(literals_first, 4)
    while True:
        code, at = packed[at], at + 1
        if code < 16 and state == 0:
            literals(length(3, 4, code))
            state = 4
            continue
        if code < 16:
            raise AssertionError("an instruction that we do not write")
        if code >= 64:
            count = (code >> 5) + 1
            distance = (packed[at] << 3) + (code >> 2 & 7) + 1
            low, at = code & 3, at + 1
        else:
            count = length(2, 5 if code >= 32 else 3, code)
            word = packed[at] | packed[at + 1] << 8
            at += 2
            distance = (word >> 2) + 1 if code >= 32 else 16384 + ((code & 8) << 11) + (word >> 2)
            low = word & 3
            if code < 32 and distance == 16384:
                assert at == len(packed), "something behind the end"
                return bytes(out)
        for _ in range(count):
            out.append(out[-distance])
        literals(low)
        state = low


def unpacked(flags, data):
    if flags == 0:
        return data
    if flags == 1:
        return zlib.decompress(data)
    if flags == 2:
        return lzo(data)
    raise AssertionError(f"flags {flags}")


def page(kind, noise):
    """Pages of zeros, of noise, of one byte, of text, and of mixtures with runs and repeats of any length."""
    if kind == 0:
        return bytes(PAGE)
    if kind == 1:
        return noise.randbytes(PAGE)
    if kind == 2:
        return bytes([noise.randrange(1, 256)]) * PAGE
    if kind == 3:
        return b"".join(b"%07u\0" % noise.randrange(5000) for _ in range(PAGE // 8))
    mixed = bytearray()
    while len(mixed) < PAGE:
        choice = noise.randrange(3)
        if choice == 0:
            mixed += noise.randbytes(noise.choice([1, 2, 3, 4, 17, 18, 19, 238, 239, 300, 600]))
        elif choice == 1:
            mixed += bytes(noise.choice([3, 4, 8, 9, 33, 34, 288, 289, 700]))
        elif mixed:
            start = noise.randrange(len(mixed))
            mixed += mixed[start : start + noise.randrange(1, 400)]
    return bytes(mixed[:PAGE])


class Capture(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.addCleanup(scratch.cleanup)
        self.directory = scratch.name
        self.output = os.path.join(scratch.name, "out")
        self.source = os.path.join(scratch.name, "memory")

    def memory(self, content):
        with open(self.source, "wb") as file:
            file.write(content)
        return f"memory 0 {len(content)} 0 {self.source}\n".encode()

    def run_it(self, orders, *where, code=0, goes=False, program=CHECKED, **more):
        """Gives it orders and waits for its end; a daemon that does not go holds its input open until then."""
        words = [program, "2", *(where or ("file", self.output))]
        pipe = subprocess.PIPE
        process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, **more)

        def give():
            try:
                process.stdin.write(orders)
                process.stdin.flush()
                if goes:
                    process.stdin.close()
            except BrokenPipeError:
                pass

        with concurrent.futures.ThreadPoolExecutor() as pool:
            given, out, told = pool.submit(give), pool.submit(process.stdout.read), pool.submit(process.stderr.read)
            process.wait(60)
            given.result()
            ran = subprocess.CompletedProcess(words, process.returncode, out.result(), told.result())
        for stream in (process.stdin, process.stdout, process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        self.assertEqual(ran.returncode, code, ran.stderr)
        return ran

    def whole(self, ran):
        word, length, digest = ran.stderr.decode().splitlines()[-1].split()
        self.assertEqual(word, "whole")
        return int(length), digest

    def bitmap(self, frames, count):
        bits = bytearray((count + 8 * PAGE - 1) // (8 * PAGE) * PAGE)
        for frame in frames:
            bits[frame // 8] |= 1 << frame % 8
        return bytes(bits)

    def kdump(self, compression, pages, kept):
        orders = self.memory(b"".join(pages)) + b"put 4 5\nHELLO"
        orders += f"pages {compression} {len(pages)} {AT}\n".encode()
        orders += self.bitmap(range(len(pages)), len(pages)) + self.bitmap(kept, len(pages))
        return orders + b"put 10 2\nHO" + b"end\n"

    def descriptors_at(self, content, pages, kept):
        """Where the header says that the bitmaps begin, they do; the descriptors lie behind."""
        (blocks,) = struct.unpack_from("<i", content, 432)
        at = (1 + blocks) * PAGE
        self.assertGreaterEqual(at, AT)
        bitmaps = self.bitmap(range(len(pages)), len(pages)) + self.bitmap(kept, len(pages))
        self.assertEqual(content[at : at + len(bitmaps)], bitmaps)
        return at + len(bitmaps)

    def check_pages(self, content, descriptors, pages, kept, compression):
        """Returns how many bytes of the data lie before the descriptors."""
        flag, zeros, ahead, end = FLAGS[compression], set(), {}, descriptors + 24 * len(kept)
        for number, frame in enumerate(kept):
            offset, size, flags, unused = struct.unpack_from("<QIIQ", content, descriptors + 24 * number)
            self.assertEqual(unused, 0)
            self.assertIn(flags, (0, flag))
            self.assertEqual(flags == 0, size == PAGE)
            self.assertGreaterEqual(offset, AT)
            if offset < descriptors:
                self.assertLessEqual(offset + size, descriptors - 2 * len(self.bitmap((), len(pages))))
                ahead[offset] = size
            else:
                self.assertGreaterEqual(offset, end)
                self.assertLessEqual(offset + size, len(content))
            if compression != "zstd":
                self.assertEqual(unpacked(flags, content[offset : offset + size]), pages[frame], frame)
            if not any(pages[frame]):
                zeros.add(offset)
        self.assertEqual(len(zeros), 1)
        return sum(ahead.values())

    def test_pages_come_back_from_every_packing(self):
        noise = random.Random(20240)
        pages = [page(noise.randrange(8), noise) for _ in range(777)]
        kept = [frame for frame in range(len(pages)) if noise.random() < 0.8]
        for compression, flag in FLAGS.items():
            length, digest = self.whole(self.run_it(self.kdump(compression, pages, kept)))
            with open(self.output, "rb") as file:
                content = file.read()
            self.assertEqual(len(content), length)
            self.assertEqual(hashlib.sha256(content).hexdigest(), digest)
            self.assertEqual(content[:16], b"\0\0\0\0HELLO\0HO\0\0\0\0")
            self.assertEqual(os.stat(self.output).st_mode & 0o777, 0o600)
            descriptors = self.descriptors_at(content, pages, kept)
            ahead = self.check_pages(content, descriptors, pages, kept, compression)
            room = descriptors - 2 * PAGE - AT
            # most data find room before the descriptors, and what room there is gets used but for what one piece takes
            self.assertGreater(ahead, len(content) // 2)
            self.assertGreater(ahead, room - 64 * PAGE)
            length, digest = self.whole(self.run_it(self.kdump(compression, pages, kept), "plain", self.output))
            with open(self.output, "rb") as file:
                plain = file.read()
            self.assertEqual((len(plain), digest), (length, "-"))
            self.assertEqual(self.descriptors_at(plain, pages, kept), AT + 2 * PAGE)
            self.assertEqual(self.check_pages(plain, AT + 2 * PAGE, pages, kept, compression), 0)
            stream = self.run_it(self.kdump(compression, pages, kept), "stream").stdout
            straight = self.rearranged(stream)
            self.assertEqual(self.descriptors_at(straight, pages, kept), AT + 2 * PAGE)
            self.assertEqual(self.check_pages(straight, AT + 2 * PAGE, pages, kept, compression), 0)

    def test_memory_of_zeros_alone(self):
        pages, kept = [bytes(PAGE)] * 100, range(100)
        length, digest = self.whole(self.run_it(self.kdump("lzo", pages, kept)))
        with open(self.output, "rb") as file:
            content = file.read()
        self.assertEqual((len(content), hashlib.sha256(content).hexdigest()), (length, digest))
        self.check_pages(content, self.descriptors_at(content, pages, kept), pages, kept, "lzo")
        self.whole(self.run_it(self.kdump("lzo", pages, ())))

    def rearranged(self, stream):
        """What makedumpfile -R makes of a stream."""
        self.assertEqual(stream[:12], b"makedumpfile")
        again, at = bytearray(), 4096
        while True:
            position, count = struct.unpack_from(">qq", stream, at)
            at += 16
            if position < 0:
                break
            again.extend(bytes(max(0, position + count - len(again))))
            again[position : position + count] = stream[at : at + count]
            at += count
        self.assertEqual(at, len(stream))
        return bytes(again)

    def test_runs_are_copied_to_their_places(self):
        noise = random.Random(3)
        pages = [page(noise.randrange(5), noise) for _ in range(300)]
        runs = [(0, 100, 4096), (200, 64, 4096 * 103), (299, 1, 4096 * 170)]
        total = 4096 * 175
        orders = self.memory(b"".join(pages)) + b"put 0 4\nHEAD" + f"copy {len(runs)} {total}\n".encode()
        orders += b"".join(struct.pack("<QQQ", first * PAGE, count * PAGE, to) for first, count, to in runs) + b"end\n"
        expected = bytearray(total)
        expected[:4] = b"HEAD"
        for first, count, to in runs:
            expected[to : to + count * PAGE] = b"".join(pages[first : first + count])
        length, digest = self.whole(self.run_it(orders))
        with open(self.output, "rb") as file:
            content = file.read()
        self.assertEqual(content, bytes(expected))
        self.assertEqual((length, digest), (total, hashlib.sha256(expected).hexdigest()))
        self.assertEqual(self.whole(self.run_it(orders, "plain", self.output)), (total, "-"))
        with open(self.output, "rb") as file:
            self.assertEqual(file.read(), expected)
        stream = self.run_it(orders, "stream").stdout
        again = self.rearranged(stream)
        self.assertEqual(again, expected)

    def test_holes_are_not_read_and_stay(self):
        size = 1 << 33
        with open(self.source, "wb") as file:
            file.truncate(size)
            file.seek(size - 2 * PAGE)
            file.write(b"x" * PAGE)
        begun = time.monotonic()
        orders = f"memory 0 {size} 0 {self.source}\ncopy 1 {size}\n".encode() + struct.pack("<QQQ", 0, size, 0) + b"end\n"
        process = self.run_it(orders, "stream")
        self.assertLess(len(process.stdout), 3 * PAGE)
        self.assertLess(time.monotonic() - begun, 20)

    def test_digests_of_all_lengths(self):
        for length in (*range(1, 200), 65536, 131071, 131073):
            content = os.urandom(length)
            orders = b"put 0 %d\n" % length + content + b"end\n"
            for program in (CHECKED, PLAIN):
                expected = (length, hashlib.sha256(content).hexdigest())
                self.assertEqual(self.whole(self.run_it(orders, program=program)), expected, program)

    def test_no_file_is_made_before_there_is_an_order(self):
        self.run_it(b"", "file", self.output, code=1, goes=True)
        self.assertFalse(os.path.exists(self.output))

    def test_a_full_disk_is_said(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE, PAGE))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        orders = b"put 0 8192\n" + bytes(8192) + b"end\n"
        ran = self.run_it(orders, code=1, preexec_fn=limit)
        self.assertEqual(ran.stderr.decode().splitlines()[-1], f"error {self.output} cannot be written: File too large")
        ran = self.run_it(orders, "stream", "/dev/full", code=1)
        self.assertIn("error /dev/full cannot be written: No space left on device", ran.stderr.decode())

    def test_memory_that_is_not_there_is_an_error(self):
        self.memory(bytes(PAGE))
        head = f"memory 0 {4 * PAGE} 0 {self.source}\n".encode()
        bits = 2 * self.bitmap(range(4), 4)
        ran = self.run_it(head + b"pages lzo 4 8192\n" + bits + b"end\n", code=1)
        self.assertIn(f"error {self.source} ends at 4096 bytes; memory at 0x1000", ran.stderr.decode())
        ran = self.run_it(b"pages zlib 4 8192\n" + bits + b"end\n", code=1)
        self.assertIn("error no memory at 0x0", ran.stderr.decode())
        ran = self.run_it(b"memory 0 4096 0 /nowhere/to be found\n", code=1)
        self.assertIn("error /nowhere/to be found cannot be read: No such file or directory", ran.stderr.decode())

    def test_a_link_is_not_followed(self):
        os.symlink("/etc/hostname", self.output)
        ran = self.run_it(b"end\n", code=1)
        self.assertIn("cannot be written: Too many levels of symbolic links", ran.stderr.decode())

    def test_what_it_cannot_understand_is_an_error(self):
        for orders in (
            b"what\n", b"put 1\n", b"put 1 99999999999\n", b"memory x\n", b"memory 1 2 3\n", b"memory 0 0 0 /dev/zero\n",
            b"pages rar 1 8192\n", b"pages lzo 999999999999999 8192\n", b"pages lzo 1 8193\n", b"pages lzo 1 4096\n", b"copy 1 4096\n" + struct.pack("<QQQ", 0, 4096, 1) + b"end\n",
            b"copy 1 8192\n" + struct.pack("<QQQ", 0, 1, 0), b"copy 99999999 1\n", b"", b"put 0 10\nxx",
        ):
            ran = self.run_it(orders, code=1, goes=True)
            self.assertTrue(ran.stderr.decode().splitlines()[-1].startswith("error "), (orders, ran.stderr))
        for where in (("elsewhere", self.output), ("file",), ("plain",), ("plain", self.output, "more"), ("stream", self.output, "more")):
            self.run_it(b"", *where, code=2, goes=True)
        self.assertEqual(subprocess.run([CHECKED, "0", "stream"], capture_output=True).returncode, 2)

    def test_it_ends_with_the_daemon(self):
        fifo = os.path.join(self.directory, "fifo")
        os.mkfifo(fifo)
        process = subprocess.Popen([CHECKED, "1", "stream", fifo], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        process.stdin.close()
        self.assertEqual(process.wait(20), 1)
        self.assertIn(b"error the daemon has gone", process.stderr.read())
        process.stderr.close()

    def test_it_gives_way(self):
        process = subprocess.Popen([CHECKED, "1", "stream"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stderr.readline()
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, process.pid), 10)
        self.assertEqual(os.sched_getscheduler(process.pid), os.SCHED_BATCH)
        process.stdin.write(b"end\n")
        process.stdin.flush()
        self.assertEqual(process.wait(20), 0)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()

    @unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/proc/pressure/memory"), "needs root, and a kernel that tells of pressure")
    def test_it_goes_slower_while_others_wait_for_memory(self):
        """Of 512 pieces, each with a pause of 8 ms in one of two threads: it has seen how much others suffer before it has its orders."""
        fake = os.path.join(self.directory, "pressure")
        size, total, ended = 512 * 64 * PAGE, 0, threading.Event()

        def say(file):
            os.pwrite(file, b"some avg10=0.00 avg60=0.00 avg300=0.00 total=%012d\n" % total, 0)

        def suffer(file):
            nonlocal total
            while not ended.wait(0.005):
                total += 50000
                say(file)

        orders = self.memory(b"x" * size) + b"copy 1 %d\n" % size + struct.pack("<QQQ", 0, size, 0) + b"end\n"
        words = ["unshare", "-m", "sh", "-c", f'mount --bind {fake} /proc/pressure/memory && exec "$@"', "sh"]
        file = os.open(fake, os.O_RDWR | os.O_CREAT, 0o600)
        self.addCleanup(os.close, file)
        say(file)
        suffering = threading.Thread(target=suffer, args=(file,))
        suffering.start()
        pipe = subprocess.PIPE
        process = subprocess.Popen([*words, CHECKED, "2", "plain", self.output], stdin=pipe, stdout=pipe, stderr=pipe)
        for _ in range(10):
            self.assertTrue(process.stderr.readline().startswith(b"done "))
        begun = time.monotonic()
        process.stdin.write(orders)
        process.stdin.flush()
        told = process.stderr.read()
        took = time.monotonic() - begun
        self.assertEqual(process.wait(60), 0, told)
        ended.set()
        suffering.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
        # two seconds of pauses, less what a machine that was late to say how much is suffered takes off
        self.assertGreater(took, 0.6)


if __name__ == "__main__":
    unittest.main()
