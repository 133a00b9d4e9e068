# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a pseudo-terminal for a test.

usage: pty_drive.py ROWS COLUMNS COMMAND...

What the command prints goes to standard output as it comes. Standard input takes lines:

    size ROWS COLUMNS   changes the window
    key HEX             types these bytes
    signal NUMBER       sends the command a signal
    modes               answers on standard error: "modes raw" or "modes line"
    hangup              closes the terminal

and at the end of the command standard error gets "exit CODE" or "killed SIGNAL", after one more "modes" line.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def report(line):
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def modes(fd):
    local = termios.tcgetattr(fd)[3]
    raw = not local & (termios.ICANON | termios.ECHO | termios.ISIG)
    line = all(local & flag for flag in (termios.ICANON, termios.ECHO, termios.ISIG))
    report("modes " + ("raw" if raw else "line" if line else "mixed"))


def obey(line, pid, master):
    words = line.split()
    if words[0] == "size":
        set_size(master, int(words[1]), int(words[2]))
    elif words[0] == "key":
        os.write(master, bytes.fromhex(words[1]))
    elif words[0] == "signal":
        os.kill(pid, int(words[1]))
    elif words[0] == "modes":
        modes(master)
    elif words[0] == "hangup":
        os.close(master)
        return False
    return True


def pump(pid, master):
    """Copies until the terminal is closed at either end. Returns whether it is still ours."""
    commands = b""
    sources = [master, 0]
    while True:
        ready = select.select(sources, [], [])[0]
        if master in ready:
            try:
                data = os.read(master, 65536)
            except OSError:
                return True  # EIO: the last process at the other end has closed it
            os.write(1, data)
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                sources = [master]
            commands += data
            while b"\n" in commands:
                line, commands = commands.split(b"\n", 1)
                if not obey(line.decode(), pid, master):
                    return False


def main():
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    master, slave = pty.openpty()
    set_size(master, rows, columns)
    pid = os.fork()
    if pid == 0:
        os.close(master)
        login(slave)
        os.execvp(sys.argv[3], sys.argv[3:])
    os.close(slave)
    alive = pump(pid, master)
    status = os.waitpid(pid, 0)[1]
    if alive:
        modes(master)
    if os.WIFEXITED(status):
        report("exit %d" % os.WEXITSTATUS(status))
    else:
        report("killed %d" % os.WTERMSIG(status))


def login(slave):
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    if slave > 2:
        os.close(slave)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
