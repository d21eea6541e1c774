"""Takes one rule out of the fold, in a copy of the sources: what is left must be noticed by the tests.

mutations.py names           the rules, one a line
mutations.py apply ROOT NAME  changes the sources under ROOT; fails when the code has moved on
"""

import pathlib
import sys

JUDGE = "crates/timeline/src/judge.rs"

# Name: file, what stands there, what stands there without the rule.
RULES = {
    "whoever-is-banned-stays-away": (
        JUDGE,
        "} else if standing.banned {\n        Void::Banned.into()\n    } else if room.visibility",
        "} else if room.visibility",
    ),
    "closed-rooms-take-nothing": (
        JUDGE,
        "if room.archived && !open_when_archived(&event.action) {\n"
        "            return Void::Archived.into();\n        }",
        "let _ = open_when_archived(&event.action);",
    ),
    "a-room-keeps-an-owner": (
        JUDGE,
        "Action::Left if role == Role::Owner && room.owners == 1 => Void::LastOwner.into(),\n",
        "",
    ),
    "nobody-sends-away-their-equals": (
        JUDGE,
        "(Some(membership), _) if !above(membership.role) => Void::NotPermitted.into(),\n",
        "",
    ),
    "only-members-write": (
        JUDGE,
        "(Action::Left, Some(since)) => Repeat(since).into(),\n",
        "(Action::Left, Some(since)) => Repeat(since).into(),\n"
        "                (Action::Message(_), _) => Counts.into(),\n",
    ),
}


def apply(root, name):
    path, rule, without = RULES[name]
    file = pathlib.Path(root) / path
    text = file.read_text(encoding="utf-8")
    if text.count(rule) != 1:
        sys.exit(f"{path} has {text.count(rule)} places of '{name}' instead of one: see {__file__}")
    file.write_text(text.replace(rule, without), encoding="utf-8")


def main():
    match sys.argv[1:]:
        case ["names"]:
            print("\n".join(RULES))
        case ["apply", root, name] if name in RULES:
            apply(root, name)
        case _:
            sys.exit(__doc__)


main()
