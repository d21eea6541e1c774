#!/usr/bin/env bash
# Plays scripts/run --set-up on a machine that has neither Rust nor Node.js: a PATH without them, an empty
# home folder, and a download server of its own on loopback, with made archives. Nothing outside a temporary
# folder is touched.
set -euo pipefail

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/milena-fresh.XXXXXX")
SERVER=
PASSED=0 FAILED=0
clean_up() {
  [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true
  rm -rf "$WORK"
}
trap clean_up EXIT

# The commands of this machine but those that a fresh one has not, and those that would change this one. A C
# compiler is not what is tried.
mkdir "$WORK/bin"
for command in /bin/* /usr/bin/* /usr/local/bin/*; do
  case ${command##*/} in
  cargo* | rust* | node* | npm* | npx* | apt* | sudo) ;;
  *) ln -sf "$command" "$WORK/bin/" ;;
  esac
done
for command in cc c++ make pkg-config; do
  [ -e "$WORK/bin/$command" ] || ln -s /bin/true "$WORK/bin/$command"
done

# What a source has: an installer that installs programs which tell a version, and an archive with such
# programs.
tells() { printf '#!/bin/sh\necho "%s"\n' "$1" >"$2" && chmod +x "$2"; }
make_source() {
  local node=node-v22.22.0-linux machine architecture
  for machine in x86_64 aarch64; do
    architecture=x64
    [ "$machine" = x86_64 ] || architecture=arm64
    mkdir -p "$WORK/source/1.29.0/$machine-unknown-linux-gnu" "$WORK/source/v22.22.0" \
      "$WORK/$node-$architecture/bin"
    cat >"$WORK/source/1.29.0/$machine-unknown-linux-gnu/rustup-init" <<'TEXT'
#!/bin/sh
echo "$@" >"$HOME/rustup-init.arguments"
mkdir -p "$HOME/.cargo/bin"
for program in cargo rustc rustup; do
  printf '#!/bin/sh\necho "%s 1.95.0 (made)"\n' $program >"$HOME/.cargo/bin/$program"
  chmod +x "$HOME/.cargo/bin/$program"
done
TEXT
    tells v22.22.0 "$WORK/$node-$architecture/bin/node"
    tells 10.9.4 "$WORK/$node-$architecture/bin/npm"
    tar -czf "$WORK/source/v22.22.0/$node-$architecture.tar.gz" -C "$WORK" "$node-$architecture"
  done
  (cd "$WORK/source" && find . -type f -printf '%P\n' | xargs sha256sum) >"$WORK/checksums"
  sed 's/^......../00000000/' "$WORK/checksums" >"$WORK/wrong"
}
make_source
# Its port is the first thing that it says; no file that a browser would look for is asked of it.
python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$WORK/source" \
  >"$WORK/server.said" 2>"$WORK/server.log" &
SERVER=$!
for _ in $(seq 200); do
  PORT=$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$WORK/server.said")
  [ -z "$PORT" ] || break
  sleep 0.05
done
[ -n "$PORT" ] || {
  echo "the download server did not start" >&2
  exit 1
}

# fresh [NAME=VALUE...] -- COMMAND...: runs it with an empty home; its exit status is in CODE, what it said in
# SAID.
fresh() {
  local settings=()
  while [ "$1" != -- ]; do settings+=("$1") && shift; done
  shift
  [ -n "${KEEP_HOME:-}" ] || rm -rf "${WORK:?}/home"
  mkdir -p "$WORK/home"
  CODE=0
  SAID=$(cd "$WORK" && env -i PATH="$WORK/bin" HOME="$WORK/home" TERM=dumb \
    MILENA_RUSTUP_SOURCE="http://127.0.0.1:$PORT" MILENA_NODE_SOURCE="http://127.0.0.1:$PORT" \
    MILENA_CHECKSUMS="$WORK/checksums" "${settings[@]}" "$@" 2>&1) || CODE=$?
}

# says WORDS..., lacks WORDS..., installed, untouched: what must be true of the last run.
says() { for words in "$@"; do [[ $SAID == *"$words"* ]] || fault "it does not say: $words"; done; }
lacks() { for words in "$@"; do [[ $SAID != *"$words"* ]] || fault "it says: $words"; done; }
ended() { [ "$CODE" = "$1" ] || fault "it ended with $CODE, not $1"; }
installed() {
  [ -x "$WORK/home/.cargo/bin/cargo" ] || fault "there is no Rust"
  [ -x "$WORK/home/.cache/milena/node-v22.22.0/bin/node" ] || fault "there is no Node.js"
}
untouched() {
  local found
  found=$(find "$WORK/home" -type f)
  [ -z "$found" ] || fault "something was installed: $found"
}
fault() {
  BAD="$BAD
    $1"
}
try() {
  BAD=
  "$1"
  if [ -z "$BAD" ]; then
    PASSED=$((PASSED + 1))
    echo "ok      ${1//_/ }"
  else
    FAILED=$((FAILED + 1))
    printf 'FAILED  %s:%s\n%s\n' "${1//_/ }" "$BAD" "$SAID"
  fi
}

RUN="$ROOT/scripts/run"

nobody_to_ask_is_told_what_to_install() {
  fresh -- "$RUN" --set-up </dev/null
  ended 1
  says "Rust 1.95, by rustup" "Node.js 22.22.0" "nothing was installed" "--yes" "https://rustup.rs" \
    "rustup toolchain install 1.95" "https://nodejs.org"
  untouched
}
yes_brings_all_once() {
  fresh -- "$RUN" --yes --set-up </dev/null
  ended 0
  installed
  grep -q -- '--default-toolchain 1.95' "$WORK/home/rustup-init.arguments" || fault "another toolchain"
  grep -q -- '--no-modify-path' "$WORK/home/rustup-init.arguments" || fault "the person's profile is changed"
  # The second time nothing is missing: no question, no download.
  KEEP_HOME=1 fresh MILENA_RUSTUP_SOURCE=http://127.0.0.1:1 MILENA_NODE_SOURCE=http://127.0.0.1:1 -- \
    "$RUN" --set-up </dev/null
  ended 0
  lacks "Downloading" "[y/N]"
  says "All that builds Milena is here"
}
integration_is_never_asked() {
  fresh CI=true -- script -qec "$RUN --set-up" /dev/null </dev/null
  ended 0
  installed
  lacks "[y/N]"
}
a_person_is_asked_once() {
  fresh -- script -qec "$RUN --set-up" /dev/null < <(echo y)
  ended 0
  installed
  [ "$(grep -o '\[y/N\]' <<<"$SAID" | wc -l)" = 1 ] || fault "it does not ask once"
}
a_person_may_say_no() {
  fresh -- script -qec "$RUN --set-up" /dev/null < <(echo n)
  ended 1
  says "nothing was installed" "https://rustup.rs"
  untouched
}
a_wrong_checksum_is_thrown_away() {
  fresh MILENA_CHECKSUMS="$WORK/wrong" -- "$RUN" --yes --set-up </dev/null
  ended 1
  says "it was thrown away, unread" "could not be brought" "https://"
  untouched
}
a_machine_without_a_checksum_is_told_so() {
  fresh MILENA_CHECKSUMS=/dev/null -- "$RUN" --yes --set-up </dev/null
  ended 1
  says "has no checksum in /dev/null"
  untouched
}
a_dead_server_is_told_with_what_to_install() {
  fresh MILENA_RUSTUP_SOURCE=http://127.0.0.1:1 MILENA_NODE_SOURCE=http://127.0.0.1:1 -- \
    "$RUN" --yes --set-up </dev/null
  ended 1
  says "could not be downloaded" "Install it yourself"
  untouched
}
a_missing_file_is_told_with_what_to_install() {
  fresh MILENA_RUSTUP_SOURCE="http://127.0.0.1:$PORT/elsewhere" -- "$RUN" --yes --set-up </dev/null
  ended 1
  says "could not be downloaded"
}
tests_ask_for_all_their_parts_at_once() {
  fresh -- "$ROOT/scripts/test" lint e2e </dev/null
  ended 1
  says "Rust 1.95, by rustup" "Node.js 22.22.0" "nothing was installed"
  untouched
}
# advised STATUS WORDS: what `cargo audit` and `npm audit` end with and say; `cargo-audit` is there.
advised() {
  mkdir -p "$WORK/audits"
  printf '#!/bin/sh\necho "%s"\nexit %s\n' "$2" "$1" >"$WORK/audits/cargo"
  cp "$WORK/audits/cargo" "$WORK/audits/npm"
  ln -sf /bin/true "$WORK/audits/cargo-audit"
  chmod +x "$WORK"/audits/*
}
advisories_that_nobody_can_look_up_are_no_ok() {
  fresh CI=true -- "$ROOT/scripts/test" advisories </dev/null
  ended 0
  says "Rust (Cargo.lock): NOT CHECKED, cargo-audit is not installed" \
    "npm (frontend/package-lock.json): NOT CHECKED, npm is not installed" "NOT ALL WAS CHECKED"
  grep -Eq '^advisories +NOT CHECKED +[0-9]+ s$' <<<"$SAID" || fault "its line of the summary does not say so"
  # The tools are there, and the databases are not.
  advised 1 "error: couldn't fetch advisory database: git operation failed (ENOTFOUND)"
  fresh CI=true PATH="$WORK/audits:$WORK/bin" -- "$ROOT/scripts/test" advisories </dev/null
  ended 0
  says "Rust (Cargo.lock): NOT CHECKED, its database cannot be asked" \
    "npm (frontend/package-lock.json): NOT CHECKED, its database cannot be asked" "NOT ALL WAS CHECKED"
  lacks "no advisory"
}
advisories_that_were_looked_up_are_found_or_not() {
  advised 0 "Scanning Cargo.lock"
  fresh CI=true PATH="$WORK/audits:$WORK/bin" -- "$ROOT/scripts/test" advisories </dev/null
  ended 0
  says "Rust (Cargo.lock): no advisory" "npm (frontend/package-lock.json): no advisory" "0 failed"
  lacks "NOT "
  advised 1 "error: 1 vulnerability found!"
  fresh CI=true PATH="$WORK/audits:$WORK/bin" -- "$ROOT/scripts/test" advisories </dev/null
  ended 1
  says "advisories concern what is used" "1 vulnerability found!"
}
the_pinned_checksums_are_whole() {
  SAID=$(cat "$ROOT/scripts/lib/checksums")
  local path
  for path in 1.29.0/{x86_64,aarch64}-unknown-linux-gnu/rustup-init \
    v22.22.0/node-v22.22.0-linux-{x64,arm64}.tar.gz; do
    grep -Eq "^[0-9a-f]{64}  $path\$" "$ROOT/scripts/lib/checksums" || fault "$path has none"
  done
  local versions
  versions=$(sed -n 's/^\(RUSTUP\|NODE\)_VERSION=//p' "$ROOT/scripts/lib/downloads.sh" | tr '\n' ' ')
  [ "$versions" = "1.29.0 22.22.0 " ] || fault "downloads.sh has other versions: $versions"
}

for name in nobody_to_ask_is_told_what_to_install yes_brings_all_once integration_is_never_asked \
  a_person_is_asked_once a_person_may_say_no a_wrong_checksum_is_thrown_away \
  a_machine_without_a_checksum_is_told_so a_dead_server_is_told_with_what_to_install \
  a_missing_file_is_told_with_what_to_install tests_ask_for_all_their_parts_at_once \
  advisories_that_nobody_can_look_up_are_no_ok advisories_that_were_looked_up_are_found_or_not \
  the_pinned_checksums_are_whole; do
  try "$name"
done
[ "$FAILED" = 0 ]
