# SPDX-License-Identifier: Apache-2.0
"""What the measurements with machines of QEMU share: Debian's kernels, and archives of files for them."""
import os
import pathlib


def kernels():
    """Where ./kmorph kernels puts them, a directory for each series."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("KMORPH_KERNELS") or pathlib.Path(cache) / "kmorph/kernels")


def archive(path, programs, tree=None):
    """Writes an initramfs with programs at its root, and what tree has for names with directories before them. The format newc of cpio:
    Documentation/driver-api/early-userspace/buffer-format.rst of Linux."""
    files = {os.path.basename(program): program for program in programs} | (tree or {})
    directories = {str(parent) for name in files for parent in pathlib.PurePath(name).parents} - {"."}
    entries = [(name, 0o40755, b"") for name in sorted(directories)]
    entries += [(name, 0o100755, pathlib.Path(file).read_bytes()) for name, file in files.items()]
    with open(path, "wb") as out:
        for name, mode, data in [*entries, ("TRAILER!!!", 0, b"")]:
            numbers = (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
            head = b"070701" + b"".join(b"%08x" % number for number in numbers) + name.encode() + b"\0"
            for part in (head, data):
                out.write(part)
                out.write(b"\0" * (-out.tell() % 4))
    return path
