#!/usr/bin/env python3
"""hot.py BINARY RAN...: packaging/hot-functions, from what callgrind saw run of a daemon. Used by scripts/hot.

A line is a place in the program and, for each function there, the sum of its readable name as packaging/link-gcc makes
it: names of generic functions are long, and nobody reads three thousand of them.
"""

import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

link = SourceFileLoader("link", str(Path(__file__).resolve().parent / "link-gcc")).load_module()
CALLED = re.compile(r"^c?fn=(.*?)('\d+)?$")


def main():
    binary, ran = sys.argv[1], sys.argv[2:]
    called = set()
    for path in ran:
        for line in Path(path).read_text(errors="replace").splitlines():
            if found := CALLED.match(line):
                called.add(link.HASH.sub("", found[1]))
    listed = subprocess.run(["nm", "--defined-only", binary], capture_output=True, text=True, check=True).stdout
    names = [line.split()[2] for line in listed.splitlines() if re.search(r"^\S+ [tTwW] ", line)]
    places = {}
    for name, readable in zip(names, link.demangled(names)):
        readable = link.HASH.sub("", readable)
        # callgrind shows symbols as they are where it cannot read them.
        if readable in called or name in called:
            place = re.search(r"[a-z_][a-z0-9_]*::[a-z_][a-z0-9_]*", readable)
            places.setdefault(place[0] if place else "c", set()).add(link.key(readable))
    print("# Functions that ran while a gateway did its work, for packaging/link-gcc. scripts/hot writes this file.")
    seen = set()
    for place, keys in sorted(places.items()):
        # One that stands at two places is laid down once.
        if new := sorted(keys - seen):
            seen.update(new)
            print(place, *new)


if __name__ == "__main__":
    main()
