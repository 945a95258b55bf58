# What the benchmarks of clusters share, to be sourced: a private network with a host a server, our servers, etcd's.
# Run from the project's folder, with a release build; as root or as an ordinary user.
# Needs the Debian packages wrk, curl and iproute2.

# Runs the calling script anew in namespaces of its own, if it is not in them. The arguments are the script's.
enter_sandbox() {
    if [ -z "${RASHOMON_BENCH_INSIDE:-}" ]; then
        local user=()
        [ "$(id -u)" = 0 ] || user=(--user --map-root-user)
        # --kill-child and the PID namespace: whatever ends the script ends every server.
        exec env RASHOMON_BENCH_INSIDE=1 unshare "${user[@]}" --net --mount --pid --uts --fork --kill-child "$0" "$@"
    fi
    export PATH="$PATH:/usr/sbin:/sbin"
    mount -t proc proc /proc
    mount -t tmpfs tmpfs /run
    work=$(mktemp -d "target/$(basename "$0").XXXXXX")
    trap 'rm -rf "$work"' EXIT
}

# So many hosts: 10.78.0.1 and so on, joined by a bridge.
make_hosts() {
    local n
    ip link set lo up
    ip link add bridge type bridge stp_state 0 forward_delay 0
    ip addr add 10.78.0.254/24 dev bridge
    ip link set bridge up
    for n in $(seq "$1"); do
        ip netns add "n$n"
        ip link add "v$n" type veth peer name eth0 netns "n$n"
        ip link set "v$n" master bridge up
        ip -n "n$n" addr add "10.78.0.$n/24" dev eth0
        ip -n "n$n" link set lo up
        ip -n "n$n" link set eth0 up
    done
}

# SYSTEM SERVERS [OPTION...]: one server of ours a host, with empty disks.
start_own() {
    local system=$1 servers=$2 n members=()
    shift 2
    for n in $(seq "$servers"); do
        members+=(--peer "$n=10.78.0.$n:7000" --client "$n=10.78.0.$n:8000")
    done
    for n in $(seq "$servers"); do
        rm -rf "$work/$system$n"
        ip netns exec "n$n" "${RASHOMON:-target/release/rashomon}" node "$system" --id "$n" --data "$work/$system$n" \
            "${members[@]}" "$@" >"$work/$system$n.log" 2>&1 &
    done
}

# Three servers of etcd with empty disks.
start_etcd() {
    local n peers="n1=http://10.78.0.1:2380,n2=http://10.78.0.2:2380,n3=http://10.78.0.3:2380"
    for n in 1 2 3; do
        rm -rf "$work/etcd$n"
        ip netns exec "n$n" etcd --name "n$n" --data-dir "$work/etcd$n" --initial-cluster "$peers" \
            --initial-advertise-peer-urls "http://10.78.0.$n:2380" --listen-peer-urls "http://10.78.0.$n:2380" \
            --advertise-client-urls "http://10.78.0.$n:2379" --listen-client-urls "http://10.78.0.$n:2379" \
            --log-level error >"$work/etcd$n.log" 2>&1 &
    done
}

stop_servers() {
    local servers
    mapfile -t servers < <(jobs -p)
    kill "${servers[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
}

# Prints host:port of our server that leads or coordinates alone, or nothing.
own_leader() {
    local n
    for n in 1 2 3; do
        curl -sf -m 1 "http://10.78.0.$n:8000/v1/status" | grep -qE '"role":"(leader|coordinator)"' &&
            echo "10.78.0.$n:8000" && return
    done
    true
}

etcd_leader() {
    local n status member leader
    for n in 1 2 3; do
        status=$(curl -sf -m 1 "http://10.78.0.$n:2379/v3/maintenance/status" -d '{}' || true)
        member=$(grep -o '"member_id":"[0-9]*"' <<<"$status" | tr -dc 0-9 || true)
        leader=$(grep -o '"leader":"[0-9]*"' <<<"$status" | tr -dc 0-9 || true)
        [ -n "$leader" ] && [ "$member" = "$leader" ] && echo "10.78.0.$n:2379" && return
    done
    true
}

# own|etcd: prints host:port of the leader when there is one.
await_leader() {
    local leader
    for _ in $(seq 200); do
        leader=$("$1_leader")
        [ -n "$leader" ] && echo "$leader" && return
        sleep 0.1
    done
    echo "no leader of $1 after 20 s: $(tail -qn 3 "$work"/*.log)" >&2
    exit 1
}
