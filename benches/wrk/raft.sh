#!/bin/sh
# Three Raft members as three processes on the loopback interface, loaded with wrk: puts, then linearizable reads.
#
#   benches/wrk/raft.sh [path of the binary] [seconds] [connections]
#
# Needs wrk and curl (Debian packages of these names). Prints one line of JSON a mode.
set -eu

binary=${1:-target/release/rashomon}
seconds=${2:-10}
connections=${3:-20}
script=$(dirname "$0")/kv.lua
data=$(mktemp -d)
nodes=
trap 'kill $nodes 2>/dev/null; wait 2>/dev/null; rm -rf "$data"' EXIT INT TERM

peers= clients=
for id in 1 2 3; do
    peers="$peers --peer $id=127.0.0.1:1710$id"
    clients="$clients --client $id=127.0.0.1:1810$id"
done
for id in 1 2 3; do
    # shellcheck disable=SC2086 # the options are words
    "$binary" node raft --id $id $peers $clients --data "$data/$id" 2>"$data/$id.log" &
    nodes="$nodes $!"
done

leader=
for _ in $(seq 100); do
    for id in 1 2 3; do
        if curl -s "http://127.0.0.1:1810$id/v1/status" | grep -q '"role":"leader"'; then leader=$id; fi
    done
    [ -n "$leader" ] && break
    sleep 0.1
done
if [ -z "$leader" ]; then
    echo "no leader after 10 s" >&2
    cat "$data"/*.log >&2
    exit 1
fi

for mode in put get; do
    wrk -t1 -c"$connections" -d"${seconds}s" -s "$script" "http://127.0.0.1:1810$leader" -- $mode | grep -v '^ '
done
