# shellcheck shell=bash
# Sourced by scripts/run and scripts/test: makes sure that what builds Milena is here, and builds the browser client.
# Guarantees: after need_rust and need_node the commands exist in a version that works, or the script has ended with
# a sentence that says what to install. No compiler is downloaded: that is for the owner of the machine to decide.

# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/milena/target}
RUST_MINIMUM=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
NODE_MINIMUM=20.19.0

# at_least WANTED HAVE: compares versions.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

need_rust() {
  # rustup's own place, for shells that have not read its profile.
  command -v cargo >/dev/null || PATH=$HOME/.cargo/bin:$PATH
  local advice="Rust $RUST_MINIMUM or newer is needed. Install it with rustup (https://rustup.rs, or Debian's package
    rustup from Debian 13 on), then: rustup toolchain install stable"
  command -v cargo >/dev/null || die "cargo was not found. $advice"
  local version
  version=$(rustc --version | cut -d ' ' -f 2) || die "rustc does not run. $advice"
  at_least "$RUST_MINIMUM" "$version" || die "rustc is $version. $advice"
  need_c
}

# librdkafka, SQLite and the cryptography of TLS are C; librdkafka takes OpenSSL and zlib from the system.
need_c() {
  local missing=()
  command -v cc >/dev/null && command -v c++ >/dev/null && command -v make >/dev/null || missing+=(build-essential)
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  [ -e /usr/include/openssl/ssl.h ] || missing+=(libssl-dev)
  [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

node_version() { node --version 2>/dev/null | sed 's/^v//'; }

need_node() {
  if ! command -v node >/dev/null; then
    local offered
    offered=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/ *Candidate: //p' | sed 's/^[0-9]*://')
    if [ -n "$offered" ] && at_least "$NODE_MINIMUM" "$offered"; then install_packages nodejs npm; fi
  fi
  local version
  version=$(node_version) || version=
  at_least "$NODE_MINIMUM" "${version:-0}" ||
    die "node ${version:-was not found}. Node.js $NODE_MINIMUM or newer is needed: https://nodejs.org (Debian 13 has it as
    the package nodejs; the one of Debian 12 is too old)"
  need_command npm npm
}

# The packages of the browser client, exactly as locked; nothing when they are there already.
install_frontend() {
  local installed=$ROOT/frontend/node_modules/.package-lock.json
  if [ ! -e "$installed" ] || [ "$ROOT/frontend/package-lock.json" -nt "$installed" ]; then
    say "Installing the packages of the browser client (npm ci)"
    (cd "$ROOT/frontend" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund) >&2
    touch "$installed"
  fi
}

frontend_is_built() {
  local page=$ROOT/frontend/dist/index.html
  [ -e "$page" ] || return 1
  [ -z "$(find "$ROOT/frontend" \( -name node_modules -o -name dist -o -name test-results -o -name playwright-report \) -prune -o \
    -type f -newer "$page" -print -quit)" ]
}
