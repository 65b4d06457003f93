# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # dir, port and root are set, and the rest is used, by script/stack

redis_port=$((port + 379))
redis_stop_signal=TERM
redis_discard_signal=KILL

redis_prepare() {
    cat >"$dir/conf/redis.conf" <<EOT
bind 127.0.0.1
port $redis_port
protected-mode yes
daemonize no
dir $dir/redis
appendonly yes
appendfsync everysec
save ""
auto-aof-rewrite-min-size 512mb
maxmemory-policy noeviction
repl-backlog-ttl 0
EOT
}

redis_command() {
    command=(redis-server "$dir/conf/redis.conf")
}

redis_cli() {
    redis-cli -h 127.0.0.1 -p "$redis_port" "$@"
}

redis_answers() {
    [[ $(timeout 2 redis-cli -h 127.0.0.1 -p "$redis_port" PING 2>/dev/null) == PONG ]]
}
