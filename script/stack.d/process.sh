# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # dir, port and root are set, and the rest is used, by script/stack
# The processes that script/stack started. One is known by pid, start time and boot together, so that
# another program that got the same pid later is never taken for it, nor signalled.

boot=$(</proc/sys/kernel/random/boot_id)

# start_time PID: in clock ticks since the boot; fails if it is gone, or dead and not yet collected
start_time() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra stat <<<"${stat##*) }" # what follows the name, which may hold spaces
    [[ ${stat[0]} != [ZX] ]] || return 1
    echo "${stat[19]}"
}

is_stopped() {
    [[ $(</proc/"$1"/stat) == *") T "* ]] 2>/dev/null
}

# alive NAME: prints the pid of the process recorded under NAME if it still runs
alive() {
    local pid started on_boot
    { read -r pid started on_boot <"$dir/run/$1.pid"; } 2>/dev/null || return 1
    [[ $on_boot == "$boot" && $(start_time "$pid") == "$started" ]] || return 1
    echo "$pid"
}

# as USER: fills `as` with what makes a command run as that user, where this is root
as() {
    as=()
    if ((EUID == 0)); then
        as=(setpriv "--reuid=$1" "--regid=$1" --init-groups)
    fi
}

# launch NAME USER COMMAND...: starts and records a process of its own session, with no descriptor of ours
launch() {
    local name=$1 user=$2 as fd pid
    shift 2
    as "$user"
    (
        cd "$dir/$user" || exit
        take_place "$name" "$BASHPID"
        for fd in /proc/"$BASHPID"/fd/*; do
            fd=${fd##*/}
            ((fd <= 2)) || exec {fd}>&-
        done
        # Erlang allocates by this limit, which is a billion in some containers.
        (($(ulimit -Hn) <= 16384)) 2>/dev/null || ulimit -Sn 16384
        exec setsid "${as[@]}" "$@"
    ) </dev/null >>"$dir/log/$name.log" 2>&1 &
    pid=$!
    echo "$pid $(start_time "$pid") $boot" >"$dir/run/$name.pid"
}

# freeze PID: stops it and what it started, and prints their pids; from the top, because a stopped parent
# neither starts a child nor lets the pid of a dead one be used again
freeze() {
    local child
    kill -STOP "$1" 2>/dev/null || return 0
    echo "$1"
    for child in $(pgrep --parent "$1"); do freeze "$child"; done
}

thaw() {
    local child
    for child in $(pgrep --parent "$1"); do thaw "$child"; done
    kill -CONT "$1" 2>/dev/null || true
}

# gone_within SECONDS NAME
gone_within() {
    local deadline=$((SECONDS + $1))
    while alive "$2" >/dev/null; do
        ((SECONDS < deadline)) || return 1
        sleep 0.02
    done
}

# destroy NAME: SIGKILL for it and what it started
destroy() {
    local pid pids
    pid=$(alive "$1") || return 0
    mapfile -t pids < <(freeze "$pid")
    kill -KILL "${pids[@]}" 2>/dev/null || true
    gone_within 10 "$1" || die "$1 (pid $pid) does not end"
}

# finish NAME SIGNAL: asks it to end, and insists after a while
finish() {
    local pid
    pid=$(alive "$1") || return 0
    kill "-$2" "$pid" 2>/dev/null || true
    thaw "$pid"
    gone_within 30 "$1" || destroy "$1"
}
