# SPDX-License-Identifier: Apache-2.0
"""Moments of a process: it is stopped as it is about to make one system call or another (ptrace(2)), to be killed there."""

import collections
import ctypes
import os
import platform
import signal
import struct
import time

SEIZE, INTERRUPT, SYSCALL, GET_SYSCALL_INFO = 0x4206, 0x4207, 24, 0x420E
OPTIONS = 0x100001
"""PTRACE_O_EXITKILL, PTRACE_O_TRACESYSGOOD"""
WALL = 0x40000000
SYSCALL_STOP = signal.SIGTRAP | 0x80
ENTRY = 1
INFO = struct.Struct("<B3xIQQ7Q")
"""struct ptrace_syscall_info of an entry"""
NUMBERS = {"x86_64": {"kill": 62, "setsockopt": 54, "waitid": 247, "sendmsg": 46},
           "aarch64": {"kill": 129, "setsockopt": 208, "waitid": 95, "sendmsg": 211}}[platform.machine()]

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long

Moment = collections.namedtuple("Moment", "what call arguments times")
"""The so-manieth call of that name whose first arguments are each among these; None is any."""


def ptrace(request, pid, address=0, data=0):
    if libc.ptrace(request, pid, address, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class Traced:
    def __init__(self, pid, patience_s):
        self.pid, self.patience_s = pid, patience_s
        ptrace(SEIZE, pid, 0, OPTIONS)
        ptrace(INTERRUPT, pid)
        self.wait()
        self.go_on()

    def go_on(self, number=0):
        ptrace(SYSCALL, self.pid, 0, number)

    def wait(self):
        end = time.monotonic() + self.patience_s
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, WALL | os.WNOHANG)
            if pid:
                return status
            time.sleep(0.0002)
        raise AssertionError(f"process {self.pid} did not come to a stop")

    def is_at(self, moment):
        info = ctypes.create_string_buffer(INFO.size)
        ptrace(GET_SYSCALL_INFO, self.pid, INFO.size, ctypes.addressof(info))
        kind, _, _, _, number, *arguments = INFO.unpack(info.raw)
        return (kind == ENTRY and number == NUMBERS[moment.call]
                and all(among is None or have & 0xFFFFFFFF in among for among, have in zip(moment.arguments, arguments)))

    def kill_at(self, moment):
        times = 0
        while True:
            status = self.wait()
            if not os.WIFSTOPPED(status):
                raise AssertionError(f"the process ended before {moment.what}")
            if os.WSTOPSIG(status) != SYSCALL_STOP:
                self.go_on(0 if status >> 16 else os.WSTOPSIG(status))
                continue
            if self.is_at(moment):
                times += 1
                if times == moment.times:
                    os.kill(self.pid, signal.SIGKILL)
                    return self.wait()
            self.go_on()
