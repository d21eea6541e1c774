# shellcheck shell=bash
# Sourced by scripts/kafka, scripts/postgres, scripts/mariadb and scripts/opensearch: the verbs that they
# share (start, stop, kill, restart, status, run), for one server program or several nodes of it, all in one
# folder on 127.0.0.1.
#
# Guarantees: `start` returns only when every node answers, or fails with the end of its log; a folder keeps
# its ports for ever; only processes that this folder's own pid files name, and that really run on it, are
# signalled.
#
# The script that sources this sets
#   NAME          the server's name, for messages and for the throw-away folder
#   STOP_SIGNAL   what asks it for a quick but orderly stop
#   PORTS_A_NODE  how many free ports a node needs; the first is the one that clients use
#   USUAL_PORT    the port that everybody knows, for `run`
# and defines
#   usage           prints the help
#   prepare         makes sure that the programs are installed
#   create NODE     makes the data of a new node in $NODE_DIR
#   launch NODE     execs the server (it is called in a process of its own, output already in the log)
#   answers NODE    succeeds once the node really serves
#   finish          once, after the first start of a new folder
#   announce        prints the address line
#   more VERB ...   further verbs (optional)

# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

# What is downloaded once. (Used by the scripts that source this.)
# shellcheck disable=SC2034
CACHE=${MILENA_CACHE:-$HOME/.cache/milena}
START_DEADLINE_S=${MILENA_START_DEADLINE_S:-90}
STOP_DEADLINE_S=${MILENA_STOP_DEADLINE_S:-30}

# until_true SECONDS COMMAND...: tries every 50 ms until COMMAND succeeds; fails at the deadline.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A free port below the range that the kernel hands out to outgoing connections.
free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if port_is_free "$port"; then
      echo "$port"
      return
    fi
  done
  die "found no free port between 20000 and 32000"
}

node_dir() { echo "$DIR/node-$1"; }
port_of() { sed -n "s/^PORT_$2=//p" "$(node_dir "$1")/ports"; }
pid_of() { cat "$(node_dir "$1")/pid" 2>/dev/null; }

# stat_of PID: STAT becomes the fields of /proc/PID/stat from the state on, which is the third (proc(5)).
stat_of() {
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra STAT <<<"${line##*) }"
}

# Has a thread that has not ended, as only /proc/PID/stat knows. (The command line is empty for a moment
# whenever a process execs, as every server does on its way up; and the first thread of a killed one can be
# gone before others.)
is_alive() {
  local STAT
  stat_of "$1" || return 1
  case ${STAT[0]} in Z | X) [ "${STAT[17]}" -gt 1 ] ;; esac
}

# Alive, and really the server of this folder (process ids are used again).
is_running() {
  local pid
  pid=$(pid_of "$1") || return 1
  [ -n "$pid" ] && is_alive "$pid" || return 1
  is_launched "$pid" || grep -qsF "$(node_dir "$1")" "/proc/$pid/cmdline"
}
# A child that this script launched, and so the server of its folder, whatever it still execs.
is_launched() {
  local STAT
  case " ${LAUNCHED_PIDS[*]} " in *" $1 "*) ;; *) return 1 ;; esac
  stat_of "$1" && [ "${STAT[1]}" = $$ ]
}
is_collected() { [ ! -e "/proc/$1" ]; }
all_dead() {
  local pid
  for pid in "$@"; do ! is_alive "$pid" || return 1; done
}
is_gone() { ! is_running "$1"; }
any_running() {
  local node
  for node in $(seq "$NODES"); do is_running "$node" && return 0; done
  return 1
}

choose_ports() {
  local node i port
  for node in $(seq "$NODES"); do
    mkdir -p "$(node_dir "$node")"
    : >"$(node_dir "$node")/ports"
    for i in $(seq "$PORTS_A_NODE"); do
      if [ "$i" = 1 ] && [ -n "$PORT" ]; then port=$((PORT + node - 1)); else port=$(free_port); fi
      echo "PORT_$i=$port" >>"$(node_dir "$node")/ports"
    done
  done
}

launch_node() {
  local dir
  dir=$(node_dir "$1")
  [ ! -e "$dir/log" ] || mv "$dir/log" "$dir/log.before"
  # A session of its own: Ctrl-C in the terminal that called `start` is not for the server.
  (
    exec </dev/null >>"$dir/log" 2>&1
    NODE=$1 NODE_DIR=$dir launch "$1"
  ) &
  LAUNCHED_PIDS+=($!)
  echo $! >"$dir/pid"
}

show_log() {
  say "--- the end of $(node_dir "$1")/log"
  tail -n 25 "$(node_dir "$1")/log" >&2 || true
}

answers_or_died() { answers "$1" >/dev/null 2>&1 || all_dead "$(pid_of "$1")"; }

# Starts the given nodes and waits for all; fails, with everything ended again, when one does not come up.
start_nodes() {
  local node failed=
  LAUNCHED=("$@")
  for node in "$@"; do launch_node "$node"; done
  for node in "$@"; do
    if ! until_true "$START_DEADLINE_S" answers_or_died "$node" || all_dead "$(pid_of "$node")"; then
      failed=$node
      break
    fi
  done
  [ -n "$failed" ] || return 0
  FAILED_NODE=$failed
  for node in "$@"; do kill_node "$node"; done
  return 1
}

kill_node() {
  is_running "$1" || return 0
  local pid pids
  pid=$(pid_of "$1")
  # Children too, as when the machine loses its power: PostgreSQL's would go on for a moment otherwise.
  read -ra pids -d '' < <(echo "$pid"; cat "/proc/$pid/task/"*/children 2>/dev/null) || true
  kill -KILL "${pids[@]}" 2>/dev/null || true
  until_true 10 all_dead "${pids[@]}" || die "$NAME (process $pid) does not end"
}

stop_nodes() {
  local node
  for node in "$@"; do
    if is_running "$node"; then kill "-$STOP_SIGNAL" "$(pid_of "$node")" 2>/dev/null || true; fi
  done
  for node in "$@"; do
    if ! until_true "$STOP_DEADLINE_S" is_gone "$node"; then
      say "$NAME (process $(pid_of "$node")) did not stop within $STOP_DEADLINE_S s; killing it"
      kill_node "$node"
    fi
  done
}

# The server outlives this script, but not the process (--with) that it was started for; nor does a folder of
# our own.
watch_owner() {
  [ -n "$OWNER" ] || return 0
  (
    exec </dev/null >/dev/null 2>&1
    # shellcheck disable=SC2016
    exec setsid bash -c 'while [ -e "/proc/$1" ]; do sleep 1; done; exec "$2" kill --dir "$3" $4' \
      _ "$OWNER" "$(readlink -f "$0")" "$DIR" "${FRESH:+--delete}"
  ) &
}

report() {
  local node pids=()
  for node in $(seq "$NODES"); do pids+=("$(pid_of "$node")"); done
  announce
  local IFS=,
  echo "PID=${pids[*]}"
  echo "DIR=$DIR"
}

create_all() {
  local node
  choose_ports
  for node in $(seq "$NODES"); do
    NODE=$node NODE_DIR=$(node_dir "$node") create "$node" >>"$(node_dir "$node")/log" 2>&1 || {
      show_log "$node"
      die "could not prepare the data of $NAME"
    }
  done
}

# A new folder: data, ports, first start. Ports that were taken in between are chosen again.
start_new() {
  local attempt
  for attempt in 1 2 3; do
    create_all
    # shellcheck disable=SC2046
    if start_nodes $(seq "$NODES"); then
      finish
      echo "$NODES" >"$DIR/nodes"
      return
    fi
    show_log "$FAILED_NODE"
    if [ -n "$PORT" ] || [ "$attempt" = 3 ]; then break; fi
    grep -qi 'in use' "$(node_dir "$FAILED_NODE")/log" || break
    say "A port was taken in between; trying others."
    rm -rf "$DIR"/node-*
  done
  die "$NAME did not start"
}

use_dir() {
  [ -n "$DIR" ] || die "$1 needs --dir (see --help)"
  DIR=$(realpath -m "$DIR")
  [ -f "$DIR/nodes" ] || die "$DIR holds no $NAME of this script"
  NODES=$(cat "$DIR/nodes")
}

# The nodes that a verb is for: all, or the one given with --node.
chosen() { if [ -n "$ONLY" ]; then echo "$ONLY"; else seq "$NODES"; fi; }

start() {
  FRESH=
  # A start that is given up (an error, Ctrl-C) leaves no server behind, and no folder that it made itself.
  trap give_up EXIT
  if [ -n "$DIR" ] && [ -f "$DIR/nodes" ]; then
    use_dir start
    # shellcheck disable=SC2046
    start_stopped $(chosen)
  else
    if [ -z "$DIR" ]; then
      DIR=$(mktemp -d "${TMPDIR:-/tmp}/milena-$NAME.XXXXXX")
      FRESH=yes
    fi
    DIR=$(realpath -m "$DIR")
    mkdir -p "$DIR"
    start_new
  fi
  trap - EXIT
}

give_up() {
  local node
  for node in "${LAUNCHED[@]}"; do kill_node "$node"; done
  [ -z "$FRESH" ] || rm -rf "$DIR"
}

start_stopped() {
  local node stopped=()
  for node in "$@"; do is_running "$node" || stopped+=("$node"); done
  [ ${#stopped[@]} -gt 0 ] || return 0
  start_nodes "${stopped[@]}" || {
    show_log "$FAILED_NODE"
    die "$NAME did not start"
  }
}

delete_dir() {
  any_running && die "$NAME still runs in $DIR"
  rm -rf "$DIR"
}

usual_ports_are_free() {
  local node
  for node in $(seq "$NODES"); do port_is_free $((USUAL_PORT + node - 1)) || return 1; done
}

run() {
  if [ -z "$PORT" ] && usual_ports_are_free; then PORT=$USUAL_PORT; fi
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  start
  trap end_run EXIT
  report
  say "$NAME is ready. Ctrl-C stops it${FRESH:+ and removes its folder}."
  while any_running; do sleep 1; done
  die "$NAME ended by itself; its log is in $DIR"
}

end_run() {
  trap '' INT TERM HUP
  say "Stopping $NAME"
  # shellcheck disable=SC2046
  stop_nodes $(seq "$NODES")
  [ -z "$FRESH" ] || delete_dir
}

main() {
  local verb=${1:---help}
  [ $# -eq 0 ] || shift
  DIR='' NODES=1 PORT='' ONLY='' OWNER='' DELETE='' FRESH='' LAUNCHED=() LAUNCHED_PIDS=()
  case $verb in
  -h | --help | help)
    usage
    return
    ;;
  start | stop | kill | restart | status | run) ;;
  *)
    if declare -F more >/dev/null; then
      more "$verb" "$@"
      return
    fi
    die "unknown command '$verb' (see --help)"
    ;;
  esac
  while [ $# -gt 0 ]; do
    case $1 in
    --delete) DELETE=yes ;;
    -h | --help)
      usage
      return
      ;;
    --dir | --nodes | --port | --node | --with)
      [ $# -ge 2 ] || die "$1 needs a value"
      case $1 in
      --dir) DIR=$2 ;;
      --nodes) NODES=$2 ;;
      --port) PORT=$2 ;;
      --node) ONLY=$2 ;;
      --with) OWNER=$2 ;;
      esac
      shift
      ;;
    *) die "unknown option '$1' (see --help)" ;;
    esac
    shift
  done
  case "$NODES$PORT$ONLY$OWNER" in
  *[!0-9]*) die "--nodes, --port, --node and --with take whole numbers" ;;
  esac
  case $verb in
  start)
    prepare
    start
    watch_owner
    report
    ;;
  run)
    prepare
    run
    ;;
  status)
    use_dir status
    if any_running; then report; else die "$NAME does not run in $DIR"; fi
    ;;
  stop | kill)
    use_dir "$verb"
    if [ "$verb" = stop ]; then
      # shellcheck disable=SC2046
      stop_nodes $(chosen)
    else
      for node in $(chosen); do kill_node "$node"; done
    fi
    [ -z "$DELETE" ] || delete_dir
    ;;
  restart)
    use_dir restart
    prepare
    # shellcheck disable=SC2046
    stop_nodes $(chosen)
    # shellcheck disable=SC2046
    start_stopped $(chosen)
    report
    ;;
  esac
}
