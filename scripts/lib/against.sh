# shellcheck shell=bash
# Sourced by scripts/bench and scripts/long, after toolchain.sh: programs of another commit of this project.

# build_against COMMIT dev|release PACKAGE...: builds them once; the folder that they are in goes into OLD.
build_against() {
  local commit folder profile=$2 source packages=() package missing=
  commit=$(git -C "$ROOT" rev-parse --short=12 --verify "$1^{commit}") ||
    die "'$1' is no commit of this project (a shallow clone has only the newest)"
  folder=$CARGO_TARGET_DIR/against/$commit
  source=$folder/source
  OLD=$folder/target/${profile/dev/debug}
  shift 2
  for package in "$@"; do
    [ -x "$OLD/${package#milena-}" ] || missing=1
    packages+=(-p "$package")
  done
  [ -n "$missing" ] || return 0
  say "Building ${*} of $commit"
  # A backend has the page compiled in; none is needed here.
  mkdir -p "$source" "$source/frontend/dist"
  git -C "$ROOT" archive "$commit" | tar -x -C "$source"
  CARGO_TARGET_DIR=$folder/target cargo build --quiet --locked --profile "$profile" "${packages[@]}" \
    --manifest-path "$source/Cargo.toml" >&2 ||
    die "the programs of $commit could not be built (above)"
}
