# shellcheck shell=bash
# Sourced by toolchain.sh: brings Rust and Node.js from their official sources into the person's own folders.
# Guarantees: nothing that was downloaded is run or unpacked before its checksum was found equal to the one in
# scripts/lib/checksums; what is half done is not left behind; nothing outside of the person's own folders
# changes.
#
# Settings, for machines that reach a mirror only: MILENA_RUSTUP_SOURCE, MILENA_NODE_SOURCE (addresses), and
# MILENA_CHECKSUMS (a file like scripts/lib/checksums, when the mirror's files are not the official ones).
# rustup has its own for what it then brings itself: RUSTUP_DIST_SERVER.

RUSTUP_SOURCE=${MILENA_RUSTUP_SOURCE:-https://static.rust-lang.org/rustup/archive}
NODE_SOURCE=${MILENA_NODE_SOURCE:-https://nodejs.org/dist}
CHECKSUMS=${MILENA_CHECKSUMS:-$ROOT/scripts/lib/checksums}
CACHE=${MILENA_CACHE:-$HOME/.cache/milena}

RUSTUP_VERSION=1.29.0
NODE_VERSION=22.22.0
NODE_HOME=$CACHE/node-v$NODE_VERSION

# fetch SOURCE PATH FILE: downloads SOURCE/PATH to FILE, or says why not and fails.
fetch() {
  local url=$1/$2 file=$3 expected found
  expected=$(awk -v path="$2" '$2 == path { print $1 }' "$CHECKSUMS")
  if [ -z "$expected" ]; then
    say "$2 has no checksum in $CHECKSUMS: there is none for this kind of machine ($(uname -m))"
    return 1
  fi
  say "Downloading $url"
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --connect-timeout 20 --retry 2 --output "$file" "$url" >&2
  else
    wget --quiet --timeout=20 --tries=3 --output-document="$file" "$url" >&2
  fi || {
    rm -f "$file"
    say "$url could not be downloaded"
    return 1
  }
  found=$(sha256sum "$file" | cut -d ' ' -f 1)
  if [ "$found" != "$expected" ]; then
    rm -f "$file"
    say "$url has the checksum $found, not $expected: it was thrown away, unread"
    return 1
  fi
}

# Rust, by rustup's own installer unless rustup is here already.
bring_rust() {
  local temporary code=0
  if command -v rustup >/dev/null; then
    say "Installing Rust $RUST_MINIMUM with rustup"
    rustup toolchain install "$RUST_MINIMUM" --profile minimal --component rustfmt --component clippy >&2
    return
  fi
  temporary=$(mktemp -d "${TMPDIR:-/tmp}/milena-rustup.XXXXXX")
  fetch "$RUSTUP_SOURCE" "$RUSTUP_VERSION/$(uname -m)-unknown-linux-gnu/rustup-init" \
    "$temporary/rustup-init" &&
    chmod +x "$temporary/rustup-init" &&
    RUSTUP_INIT_SKIP_PATH_CHECK=yes "$temporary/rustup-init" -y --quiet --no-modify-path --profile minimal \
      --default-toolchain "$RUST_MINIMUM" --component rustfmt --component clippy >&2 || code=$?
  rm -rf "$temporary"
  return "$code"
}

# Node.js, by its official archive.
bring_node() {
  local architecture temporary code=0
  case $(uname -m) in
  x86_64) architecture=x64 ;;
  aarch64) architecture=arm64 ;;
  *) architecture=$(uname -m) ;;
  esac
  mkdir -p "$CACHE"
  temporary=$(mktemp -d "$CACHE/node.XXXXXX")
  fetch "$NODE_SOURCE" "v$NODE_VERSION/node-v$NODE_VERSION-linux-$architecture.tar.gz" "$temporary/archive" &&
    mkdir "$temporary/node" &&
    tar -xzf "$temporary/archive" -C "$temporary/node" --strip-components 1 --no-same-owner &&
    rm -rf "$NODE_HOME" && mv "$temporary/node" "$NODE_HOME" || code=$?
  rm -rf "$temporary"
  return "$code"
}
