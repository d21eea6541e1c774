"""Finds lines of code, comments and documents that are longer than 110 characters (not bytes), and names them
as FILE:LINE. The formatters know the limit too (rustfmt.toml, .prettierrc.json), but leave alone what they
cannot break: texts, comments, macros, shell, Markdown.

Looks at all files that git knows. What may be longer is here, each with its reason, and nowhere else.
"""

import re
import subprocess
import sys

LIMIT = 110

# Made by programs, for programs.
MADE = re.compile(
    r"(^|/)(Cargo\.lock|package-lock\.json)$"  # by cargo and npm
    r"|^docs/openapi\.json$|^frontend/src/lib/http/openapi\.ts$"  # by the server's own description
    r"|\.(svg|png|jsonl)$"  # pictures; data with one record a line
    r"|/samples/.*\.(json|txt|log|expected|stored)$"  # what other programs write, and what is read from it
)
# An address cannot be broken: a line that has nothing else, besides the marks of a list or a comment.
ADDRESS = re.compile(r"^[\s\"'`<(#/*|\-]*(\[[^\]]*\]:? ?)?\(?<?https?://\S+$")


def long_lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (UnicodeDecodeError, FileNotFoundError):
        return  # not a text, or deleted and not yet committed
    for number, line in enumerate(lines, 1):
        if len(line) > LIMIT and not ADDRESS.match(line):
            yield number, len(line)


def main():
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    found = [
        f"{path}:{number}: {length} characters"
        for path in listed.split("\0")
        if path and not MADE.search(path)
        for number, length in long_lines(path)
    ]
    print("\n".join(found) if found else f"no line is longer than {LIMIT} characters")
    sys.exit(1 if found else 0)


main()
