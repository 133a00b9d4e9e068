# SPDX-License-Identifier: Apache-2.0
"""Guests whose kernels watch their own locks and memory: whether they do."""
import re

from guests import Failure

REPORTS = ("possible circular locking dependency", "sleeping function called from invalid context", "KASAN: slab-out-of-bounds")


def watch(guests):
    """Lockdep turns itself off after what it reports, and where it has no room; KASAN says once that it is there."""
    for guest in guests:
        if not re.search(r"debug_locks: *1$", guest.do("cat /proc/lockdep_stats"), re.M):
            raise Failure(f"{guest.name}: its lockdep is off")
        if "KernelAddressSanitizer initialized" not in guest.do("dmesg"):
            raise Failure(f"{guest.name}: it has no KASAN")


def report(rig, guest):
    """A guest that does what is wrong says so, and its log fails a test. It is of no use after that, and ends."""
    guest.do("insmod /lib/hang.ko wrong=1")
    log = guest.do("dmesg")
    missing = [text for text in REPORTS if text not in log]
    if missing:
        raise Failure(f"{guest.name} did not report {missing}:\n{log[-3000:]}")
    try:
        guest.check_log()
    except Failure:
        rig.guests.remove(guest)
        guest.kill()
        return
    raise Failure(f"{guest.name}: a log with {REPORTS} passed for a good one")
