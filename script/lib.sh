# shellcheck shell=bash
# Shared by the scripts of this folder.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
    say "$@"
    exit 1
}

# quietly LOG COMMAND...: its output goes to LOG and is shown only if it fails
quietly() {
    local log=$1 code=0
    shift
    mkdir -p "${log%/*}"
    "$@" >"$log" 2>&1 || code=$?
    ((code == 0)) || cat "$log" >&2
    return "$code"
}

# only_one NAME: refuses a second run of this script in this working copy; locks file descriptor 8
only_one() {
    mkdir -p "$root/build"
    exec 8>"$root/build/$1.lock"
    flock --nonblock 8 || die "already running in $root"
}

# port_open PORT: does anything listen there?
port_open() {
    (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
