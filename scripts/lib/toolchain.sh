# shellcheck shell=bash
# Sourced by scripts/run, scripts/test and others: makes sure that what builds Milena is here, and builds the
# browser client.
# Guarantees: after `need` the commands exist in a version that works, or the script has ended with a sentence
# that says what to install and how. What is missing is said before anything is done about it; a person is
# asked once (unless --yes came, or it is CI), and where nobody can be asked, nothing is downloaded.

# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
# shellcheck source-path=SCRIPTDIR source=downloads.sh
. "$(dirname "${BASH_SOURCE[0]}")/downloads.sh"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/milena/target}
RUST_MINIMUM=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
NODE_MINIMUM=20.19.0
# Set by --yes.
YES=${YES:-}

# at_least WANTED HAVE: compares versions.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

rust_version() { rustc --version 2>/dev/null | cut -d ' ' -f 2; }

# Whether Rust is here. rustup's own folder comes first, for shells that have not read its profile; what
# rustup has besides its default is taken, too.
has_rust() {
  local cargo_home=${CARGO_HOME:-$HOME/.cargo}
  if [ -x "$cargo_home/bin/cargo" ] && [[ :$PATH: != *":$cargo_home/bin:"* ]]; then
    PATH=$cargo_home/bin:$PATH
  fi
  command -v cargo >/dev/null || return 1
  at_least "$RUST_MINIMUM" "$(rust_version)" && return
  command -v rustup >/dev/null && rustup run "$RUST_MINIMUM" rustc --version >/dev/null 2>&1 || return 1
  export RUSTUP_TOOLCHAIN=$RUST_MINIMUM
}

node_version() { node --version 2>/dev/null | sed 's/^v//'; }

has_node() {
  if command -v npm >/dev/null && at_least "$NODE_MINIMUM" "$(node_version || echo 0)"; then return 0; fi
  [ -x "$NODE_HOME/bin/node" ] || return 1
  PATH=$NODE_HOME/bin:$PATH
  at_least "$NODE_MINIMUM" "$(node_version || echo 0)"
}

# The Debian packages that are missing: librdkafka, SQLite and the cryptography of TLS are C; librdkafka takes
# OpenSSL and zlib from the system.
missing_packages() {
  command -v cc >/dev/null && command -v c++ >/dev/null && command -v make >/dev/null || echo build-essential
  command -v pkg-config >/dev/null || echo pkg-config
  [ -e /usr/include/openssl/ssl.h ] || echo libssl-dev
  [ -e /usr/include/zlib.h ] || echo zlib1g-dev
}

# need rust|node...: what the script needs to build, all asked for at once.
need() {
  local wanted missing=() lines=() packages=()
  for wanted in $(printf '%s\n' "$@" | sort -u); do
    case $wanted in
    rust)
      has_rust || missing+=(rust)
      mapfile -t packages < <(missing_packages)
      ;;
    node) has_node || missing+=(node) ;;
    esac
  done
  if [ ${#missing[@]} != 0 ] && ! command -v curl >/dev/null && ! command -v wget >/dev/null; then
    packages+=(curl ca-certificates)
  fi
  [ $((${#missing[@]} + ${#packages[@]})) != 0 ] || return 0
  for wanted in "${missing[@]}"; do lines+=("$(describe "$wanted")"); done
  [ ${#packages[@]} = 0 ] || lines+=("Debian packages, by apt-get: ${packages[*]}")
  say "Milena needs what is not here yet:"
  printf '  %s\n' "${lines[@]}" >&2
  # Packages alone are installed as ever where that needs no password.
  if [ ${#missing[@]} != 0 ] || ! can_install; then
    consent || die "nothing was installed. Say --yes, or install it yourself:
$(for wanted in "${missing[@]}"; do advice "$wanted"; done)${packages[*]:+
  sudo apt-get update && sudo apt-get install ${packages[*]}}"
  fi
  [ ${#packages[@]} = 0 ] || install_packages "${packages[@]}"
  for wanted in "${missing[@]}"; do
    if ! { "bring_$wanted" && "has_$wanted"; } && ! instead "$wanted"; then
      die "$wanted could not be brought. Install it yourself, then try again:
$(advice "$wanted")"
    fi
  done
}

describe() {
  case $1 in
  rust)
    echo "Rust $RUST_MINIMUM, by rustup $RUSTUP_VERSION from $RUSTUP_SOURCE, into ~/.cargo and ~/.rustup"
    ;;
  node) echo "Node.js $NODE_VERSION, from $NODE_SOURCE, into $NODE_HOME" ;;
  esac
}

advice() {
  case $1 in
  rust)
    echo "  Rust $RUST_MINIMUM or newer: rustup (https://rustup.rs, or Debian's package rustup from
    Debian 13 on), then
    rustup toolchain install $RUST_MINIMUM --profile minimal --component rustfmt --component clippy"
    ;;
  node)
    echo "  Node.js $NODE_MINIMUM or newer, with npm: https://nodejs.org (Debian 13 has it as the packages
    nodejs and npm; those of Debian 12 are too old)"
    ;;
  esac
}

# Debian's own Node.js, where it is new enough and the official one cannot be reached.
instead() {
  local offered
  [ "$1" = node ] && can_install || return 1
  offered=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/ *Candidate: //p' | sed 's/^[0-9]*://')
  [ -n "$offered" ] && at_least "$NODE_MINIMUM" "$offered" || return 1
  # In a shell of its own: its end is not that of the script.
  (install_packages nodejs npm) && has_node
}

# Whether what was said may be done: asks a person, once.
consent() {
  [ -z "$YES" ] && [ -z "${CI:-}" ] || return 0
  [ -t 0 ] && [ -t 2 ] || return 1
  local answer
  read -r -p "Install this now? [y/N] " answer || return 1
  case $answer in
  [yY] | [yY][eE][sS]) YES=1 ;;
  *) return 1 ;;
  esac
}

need_rust() { need rust; }
need_node() { need node; }

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
  [ -z "$(find "$ROOT/frontend" \
    \( -name node_modules -o -name dist -o -name test-results -o -name playwright-report \) -prune -o \
    -type f -newer "$page" -print -quit)" ]
}
