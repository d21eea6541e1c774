"""Looks whether every test that docs/PROMISES.md names is still there, and whether every promise has one.

A test that was renamed or removed would otherwise leave a promise that nothing holds, without a word.
"""

import re
import sys

INDEX = "docs/PROMISES.md"
PROMISE = re.compile(r"^## \d+\. (.*)$", re.MULTILINE)
ENTRY = re.compile(r"^- `([^`]+)`:((?:\s+`[^`]+`,?)+)$", re.MULTILINE)


def missing(path, names):
    """Those names that are no function (Rust) or title (TypeScript) in this file."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return names
    if path.endswith(".rs"):
        return [name for name in names if not re.search(rf"\bfn {re.escape(name)}\b", text)]
    return [name for name in names if name not in text]


def main():
    with open(INDEX, encoding="utf-8") as file:
        text = file.read()
    found, tests = [], 0
    parts = PROMISE.split(text)[1:]
    for promise, part in zip(parts[::2], parts[1::2]):
        entries = ENTRY.findall(part)
        if not entries:
            found.append(f"{INDEX}: no test is named for: {promise}")
        for path, listed in entries:
            names = re.findall(r"`([^`]+)`", listed)
            tests += len(names)
            gone = missing(path, names)
            found += [f"{INDEX}: {path} has no test {name} (promise: {promise})" for name in gone]
        if len(entries) != len(re.findall(r"^- ", part, re.MULTILINE)):
            found.append(f"{INDEX}: an entry of '{promise}' is not '- `FILE`: `TEST`, ...'")
    print("\n".join(found) if found else f"{len(parts) // 2} promises, {tests} tests, all there")
    sys.exit(1 if found else 0)


main()
