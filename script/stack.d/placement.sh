# shellcheck shell=bash
# shellcheck disable=SC2154 # dir and port are set by script/stack
# Where and when the servers run, if they are told to share a small machine.
#
# An idle server runs only while nobody else wants the CPU, as systemd's CPUWeight=idle would have it: in a
# control group of that kind, by either version of the kernel's interface. A priority would not do, since the
# kernel lets a process end its slice of milliseconds whatever the priority of the one that has woken up.

idle_groups=$([[ -e /sys/fs/cgroup/cgroup.controllers ]] && echo /sys/fs/cgroup || echo /sys/fs/cgroup/cpu)
idle_group=$idle_groups/flashsale-stack-$port

# prepare_place NAME: once, before it is started
prepare_place() {
    is_idle_server "$1" || return 0
    { mkdir -p "$idle_group" && echo 1 >"$idle_group/cpu.idle"; } 2>/dev/null ||
        say "$1 runs as the others do: $idle_groups has no idle groups for us"
}

# take_place NAME PID: puts the process, and what it will start, where NAME belongs
take_place() {
    local pair
    if is_idle_server "$1"; then echo "$2" 2>/dev/null >"$idle_group/cgroup.procs" || true; fi
    for pair in ${FLASHSALE_STACK_CPUS:-}; do
        [[ ${pair%%=*} != "$1" ]] || taskset --pid --cpu-list "${pair#*=}" "$2" >/dev/null
    done
}

is_idle_server() {
    [[ " ${FLASHSALE_STACK_IDLE:-} " == *" $1 "* ]]
}

leave_places() {
    rmdir "$idle_group" 2>/dev/null || true
}
