# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # dir, port and root are set, and the rest is used, by script/stack

rabbitmq_port=$((port + 672))
rabbitmq_dist_port=$((port + 673))
rabbitmq_epmd_port=$((port + 369))
rabbitmq_stop_signal=TERM
rabbitmq_discard_signal=KILL

# The server itself: Debian's /usr/sbin/rabbitmq-server knows one instance and one user only.
rabbitmq_bin=/usr/lib/rabbitmq/bin

# An empty environment but for this: nothing of /etc/rabbitmq is read, and no default port is used.
rabbitmq_env() {
    local home=$dir/rabbitmq
    environment=(env --ignore-environment
        PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME="$home"
        ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$rabbitmq_epmd_port" ERL_CRASH_DUMP_SECONDS=0
        RABBITMQ_NODENAME=flashsale@127.0.0.1 RABBITMQ_USE_LONGNAME=true
        RABBITMQ_DIST_PORT="$rabbitmq_dist_port"
        RABBITMQ_CTL_DIST_PORT_MIN=$((port + 680)) RABBITMQ_CTL_DIST_PORT_MAX=$((port + 690))
        RABBITMQ_CTL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
        RABBITMQ_CONF_ENV_FILE="$dir/conf/none" RABBITMQ_ADVANCED_CONFIG_FILE="$dir/conf/advanced.config"
        RABBITMQ_CONFIG_FILE="$dir/conf/rabbitmq.conf"
        RABBITMQ_ENABLED_PLUGINS_FILE="$dir/conf/enabled_plugins"
        RABBITMQ_GENERATED_CONFIG_DIR="$home/config" RABBITMQ_PLUGINS_EXPAND_DIR="$home/plugins"
        RABBITMQ_MNESIA_BASE="$home" RABBITMQ_MNESIA_DIR="$home/mnesia"
        RABBITMQ_PID_FILE="$home/pid" RABBITMQ_LOG_BASE="$home" RABBITMQ_LOGS=-
        RABBITMQ_SCHEDULER_BIND_TYPE=u RABBITMQ_SCHEDULER_BUSY_WAIT_THRESHOLD=none
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
        RUNNING_UNDER_SYSTEMD=true) # run the node itself, with no shell in between
}

rabbitmq_prepare() {
    local environment
    cat >"$dir/conf/rabbitmq.conf" <<EOT
listeners.tcp.1 = 127.0.0.1:$rabbitmq_port
default_user = flashsale
default_pass = flashsale
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
disk_free_limit.absolute = 200MB
vm_memory_high_watermark.relative = 0.4
raft.wal_max_size_bytes = 134217728
EOT
    # A write to blocks that the log's file has already is synced with less work for the file system.
    echo '[{ra, [{wal_pre_allocate, true}]}].' >"$dir/conf/advanced.config"
    echo '[].' >"$dir/conf/enabled_plugins"
    if ! alive epmd >/dev/null; then
        rabbitmq_env
        launch epmd rabbitmq "${environment[@]}" epmd
    fi
    until port_open "$rabbitmq_epmd_port"; do
        alive epmd >/dev/null || die "epmd ended while starting: see $dir/log/epmd.log"
        sleep 0.02
    done
}

rabbitmq_command() {
    local environment
    rabbitmq_env
    command=("${environment[@]}" "$rabbitmq_bin/rabbitmq-server")
}

rabbitmq_ctl() {
    local environment as
    as rabbitmq
    rabbitmq_env
    cd "$dir/rabbitmq" || exit
    "${as[@]}" "${environment[@]}" "$rabbitmq_bin/rabbitmqctl" "$@"
}

rabbitmq_answers() {
    port_open "$rabbitmq_port" &&
        python3 "$root/script/stack.d/amqp_ping.py" "$rabbitmq_port" flashsale flashsale 2>/dev/null
}
