#!/usr/bin/env bash
# Looks whether a security advisory concerns what Milena is built of. Ends with 1 when one does. What cannot
# be asked is said with its reason and is no failure: a machine without a way to the databases must be able to
# run the tests. It is no "ok" either: `scripts/test` says NOT CHECKED in its summary and its last line.
#
# Rust's database (RustSec) is a git repository and in no package registry, so `cargo audit` has to be
# installed and to reach it, or to have a copy: MILENA_ADVISORY_DB names one, such as a checkout that is
# mirrored. npm's is asked of the registry itself, which not every mirror of it passes on.
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
FOUND=0
cd "$ROOT"

# verdict NAME STATUS OUTPUT UNREACHABLE: an advisory, nothing, or the reason why nobody knows.
verdict() {
  if [ "$2" = 0 ]; then
    echo "$1: no advisory"
  elif grep -Eiq "$4" <<<"$3"; then
    printf '%s: NOT CHECKED, its database cannot be asked from here:\n%s\n' "$1" "$(tail -n 3 <<<"$3")"
  else
    printf '%s: advisories concern what is used\n%s\n' "$1" "$3"
    FOUND=1
  fi
}

status=0
if command -v cargo-audit >/dev/null; then
  options=()
  [ -z "${MILENA_ADVISORY_DB:-}" ] || options=(--db "$MILENA_ADVISORY_DB" --no-fetch)
  output=$(cargo audit --file Cargo.lock "${options[@]}" 2>&1) || status=$?
  verdict "Rust (Cargo.lock)" "$status" "$output" \
    'git operation failed|error: couldn.t|failed to (fetch|load|open)|not found: .*advisor'
else
  echo "Rust (Cargo.lock): NOT CHECKED, cargo-audit is not installed (cargo install cargo-audit --locked)"
fi

status=0
if command -v npm >/dev/null; then
  output=$(npm audit --prefix frontend --package-lock-only --audit-level=high 2>&1) || status=$?
  verdict "npm (frontend/package-lock.json)" "$status" "$output" \
    'audit endpoint returned an error|ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN'
else
  echo "npm (frontend/package-lock.json): NOT CHECKED, npm is not installed"
fi
exit "$FOUND"
