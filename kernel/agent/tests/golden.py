# SPDX-License-Identifier: Apache-2.0
"""golden.py PAGE DIRECTORY: writes the frames that docs/kmp.md shows, one each file, named as the page heads them."""

import pathlib
import re
import sys

DUMP = re.compile(r"[0-9a-f]{4}((?: {1,2}[0-9a-f]{2}){1,16})")


def frames(page):
    """Bytes by heading, in the page's order."""
    found, heading = {}, None
    for line in pathlib.Path(page).read_text().splitlines():
        dump = DUMP.fullmatch(line)
        if line.startswith("#### "):
            heading = line[5:]
        elif dump:
            found[heading] = found.get(heading, b"") + bytes.fromhex(dump[1])
    return found


def main(page, directory):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    for heading, frame in frames(page).items():
        (directory / heading.replace(" ", "-").replace(",", "")).write_bytes(frame)


if __name__ == "__main__":
    main(*sys.argv[1:])
