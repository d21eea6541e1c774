# shellcheck shell=bash
# Sourced by the scripts: says which Debian packages are missing, and installs them where that needs no
# password. Guarantees: nothing is installed without a line on stderr that names it first; stdout stays free
# for results.

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# Runs a command as root: as it is for root, with sudo when it asks for no password or a person agreed and can
# be asked for it; fails otherwise.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif may_be_asked; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

may_be_asked() { [ -n "${YES:-}" ] && [ -z "${CI:-}" ] && [ -t 0 ]; }

can_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { may_be_asked || sudo -n true 2>/dev/null; }; }
}

# install_packages PACKAGE...: installs them, or ends with the command that a person has to run.
install_packages() {
  if ! can_install; then
    die "missing Debian package(s). Install them, then try again:
    sudo apt-get update && sudo apt-get install $*"
  fi
  say "Installing Debian packages: $*"
  # One at a time, for scripts that run side by side: apt-get itself fails at once when its lock is taken.
  local options=(-y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
    as_root apt-get update -qq >&2
  fi
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@" >&2; then
    say "The package lists may be old; updating them and trying once more."
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@" >&2 ||
      die "apt-get could not install: $*"
  fi
}

# need_command COMMAND PACKAGE...: makes sure that COMMAND exists, from the packages when it does not.
need_command() {
  local command=$1
  shift
  command -v "$command" >/dev/null && return 0
  install_packages "$@"
  command -v "$command" >/dev/null || die "$command is still missing after installing: $*"
}
