# shellcheck shell=bash
# Sourced by scripts/test: the Kafka clients that the broker is tested with and that are not Java's, and the
# pooler that the store is tested behind.
# Guarantees: after need_clients they are there, MILENA_TEST_PYTHON names a Python that has confluent-kafka,
# or the script has ended with a sentence that says what is missing.

# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

CONFLUENT_VERSION=2.16.1

need_clients() {
  need_command kcat kcat
  need_command pgbouncer pgbouncer
  need_command strace strace
  local cache=${MILENA_CACHE:-$HOME/.cache/milena}
  local venv=$cache/confluent-kafka-$CONFLUENT_VERSION
  export MILENA_TEST_PYTHON=$venv/bin/python
  [ ! -e "$venv/complete" ] || return 0
  need_command python3 python3
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  mkdir -p "$cache"
  say "Installing confluent-kafka $CONFLUENT_VERSION from PyPI in $venv (once)"
  (
    flock 9
    [ ! -e "$venv/complete" ] || exit 0
    rm -rf "$venv"
    python3 -m venv "$venv" &&
      "$venv/bin/pip" install --quiet --disable-pip-version-check "confluent-kafka==$CONFLUENT_VERSION" &&
      touch "$venv/complete"
  ) 9>"$venv.lock" >&2 || die "confluent-kafka could not be installed"
}
