# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: runs a command on a pseudo-terminal and follows steps read from standard input.

Each line is a step: "size COLUMNS ROWS", "expect TEXT" (waits for it in what is shown from there on), "type TEXT" (with
Python escapes), "end" (waits for the command's end). Prints what was shown; the status is the command's, or 99 when something
expected was not shown within 15 seconds.
"""
import fcntl, os, pty, select, struct, sys, termios, time

steps = sys.stdin.read().splitlines()
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
shown = b""
seen = 0


def read(deadline):
    """Reads what is shown next; whether the command still runs."""
    global shown
    if not select.select([fd], [], [], max(0, deadline - time.monotonic()))[0]:
        sys.stdout.write(shown.decode(errors="replace"))
        print("\n[time is over]")
        os.kill(pid, 9)
        sys.exit(99)
    try:
        data = os.read(fd, 65536)
    except OSError:
        data = b""
    shown += data
    return bool(data)


for step in steps:
    word, _, rest = step.partition(" ")
    deadline = time.monotonic() + 15
    if word == "size":
        columns, rows = map(int, rest.split())
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    elif word == "type":
        os.write(fd, rest.encode().decode("unicode_escape").encode("latin-1"))
    elif word == "expect":
        while (at := shown.find(rest.encode(), seen)) < 0:
            if not read(deadline):
                sys.stdout.write(shown.decode(errors="replace"))
                print("\n[ended before:", rest, "]")
                sys.exit(99)
        seen = at + len(rest.encode())
    elif word == "end":
        while read(deadline):
            pass
sys.stdout.write(shown.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
