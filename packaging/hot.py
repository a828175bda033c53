#!/usr/bin/env python3
"""hot.py BINARY RAN...: packaging/hot-functions, from what callgrind saw run of a daemon. Used by scripts/hot.

What every gateway does comes first. A file of the part `platforms` is one platform's gateway: what only that one ran
follows by itself, since no gateway has two.

A line is a place in the program and, for each function there, the sum of its readable name as packaging/link-gcc makes
it: names of generic functions are long, and nobody reads three thousand of them.
"""

import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

link = SourceFileLoader("link", str(Path(__file__).resolve().parent / "link-gcc")).load_module()
CALLED = re.compile(r"^c?fn=(?:\(\d+\) )?(.*?)('\d+)?$")


def functions(path):
    """What callgrind saw called: readable names by what the list calls them."""
    called = set()
    for line in Path(path).read_text(errors="replace").splitlines():
        if found := CALLED.match(line):
            called.add(found[1])
    return {link.key(words): words for words in link.demangled(sorted(called))}


def main():
    binary, ran = sys.argv[1], sys.argv[2:]
    every = [path for path in ran if ".platforms." not in path]
    groups = [every, *([path] for path in sorted(set(ran) - set(every)))]
    listed = subprocess.run(["nm", "--defined-only", binary], capture_output=True, text=True, check=True).stdout
    names = [line.split()[2] for line in listed.splitlines() if re.search(r"^\S+ [tTwW] ", line)]
    ours = {link.key(words) for words in link.demangled(names)}
    print("# Functions that ran while a gateway did its work, for packaging/link-gcc. scripts/hot writes this file.")
    seen = set()
    for group in groups:
        called = {}
        for path in group:
            called.update(functions(path))
        places = {}
        for key, words in called.items():
            # One that ran for several is laid down once, with the first.
            if key in ours - seen:
                place = re.search(r"[a-z_][a-z0-9_]*::[a-z_][a-z0-9_]*", link.CRATE.sub("", words))
                places.setdefault(place[0] if place else "c", set()).add(key)
        for place, keys in sorted(places.items()):
            seen |= keys
            print(place, *sorted(keys))


if __name__ == "__main__":
    main()
