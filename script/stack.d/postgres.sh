# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # dir, port and root are set, and the rest is used, by script/stack

postgres_port=$((port + 432))
postgres_stop_signal=INT      # "fast": ends the sessions, writes a checkpoint
postgres_discard_signal=QUIT  # "immediate": no checkpoint, but gives its shared memory back

postgres_bin() {
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort --version-sort | tail -n 1)
    [[ -x $found ]] || found=$(command -v postgres) || die "PostgreSQL is missing: run script/bootstrap"
    echo "${found%/*}"
}

# postgres_forget FILE: PostgreSQL takes a killed predecessor that nobody has collected yet for alive, and
# some containers have no init that would. Sessions that survived it are found by the shared memory.
postgres_forget() {
    local pid
    { read -r pid <"$1"; } 2>/dev/null || return 0
    start_time "$pid" >/dev/null || rm -f "$1"
}

postgres_prepare() {
    local bin data=$dir/postgres/data as
    bin=$(postgres_bin)
    as postgres
    if [[ ! -e $data/PG_VERSION ]]; then
        rm -rf "$data"
        echo flashsale >"$dir/conf/postgres.password"
        (cd "$dir/postgres" && # initdb complains of a folder that it may not enter
            "${as[@]}" "$bin/initdb" --pgdata="$data" --username=flashsale --auth=scram-sha-256 \
                --pwfile="$dir/conf/postgres.password" --encoding=UTF8 --locale=C.UTF-8 \
                --no-sync --no-instructions) >>"$dir/log/postgres.log" 2>&1 ||
            failed postgres "has no data"
    fi
    postgres_forget "$data/postmaster.pid"
    # Of its configuration one line is kept: which shared memory initdb found to work on this machine.
    cat >"$dir/conf/postgres.conf" <<EOT
hba_file = '$dir/conf/postgres.hba'
listen_addresses = '127.0.0.1'
port = $postgres_port
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
# A transaction of thousands of orders is logged in one piece, and a new segment is not filled with
# zeros first: that would write everything twice until segments are used again.
wal_buffers = 64MB
wal_init_zero = off
$(grep '^dynamic_shared_memory_type' "$data/postgresql.conf")
fsync = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
EOT
    echo 'host all all 127.0.0.1/32 scram-sha-256' >"$dir/conf/postgres.hba"
}

postgres_command() {
    command=("$(postgres_bin)/postgres" -D "$dir/postgres/data" -c "config_file=$dir/conf/postgres.conf")
}

# postgres_psql [DATABASE] ARGUMENT...
postgres_psql() {
    local database=postgres
    if [[ ${1:--} != -* ]]; then
        database=$1
        shift
    fi
    PGPASSWORD=flashsale PGCONNECT_TIMEOUT=5 \
        psql --no-psqlrc -h 127.0.0.1 -p "$postgres_port" -U flashsale -d "$database" "$@"
}

postgres_answers() {
    [[ $(PGOPTIONS='-c statement_timeout=2000' postgres_psql -Atc 'SELECT 1' 2>/dev/null) == 1 ]]
}
